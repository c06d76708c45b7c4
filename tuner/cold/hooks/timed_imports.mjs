// The same as timed_imports.cjs for an ES module. What it imports statically is one graph, timed as
// a whole until the module's own first statement, which says that; CommonJS files are timed each.
import Module from "node:module";
import path from "node:path";

const FILE = "@FILE@";
const found = [];
const open = [0];
const load = Module.prototype.load;

function nameOf(file) {
  const place = file.lastIndexOf(`${path.sep}node_modules${path.sep}`);
  return place < 0 ? path.basename(file) : file.slice(place + 14);
}

Module.prototype.load = function (file) {
  const depth = open.length;
  open.push(0);
  const began = performance.now();
  try {
    return load.call(this, file);
  } finally {
    const took = performance.now() - began;
    const inside = open.pop();
    open[open.length - 1] += took;
    found.push([nameOf(file), took, took - inside, depth]);
  }
};

let [body, before] = [undefined, 0]; // when the module's own code began, and the files before it
globalThis.@BEGIN@ = () => {
  [body, before] = [performance.now(), open[0]];
};
const began = performance.now();
try {
  await import(new URL(FILE, import.meta.url).href);
} finally {
  Module.prototype.load = load;
  delete globalThis.@BEGIN@;
}
const ended = performance.now();
if (body === undefined) [body, before] = [ended, open[0]];
const graph = body - began - before;
found.push(["static imports", graph, graph, 1]);
found.push([FILE.replace("tuner_timed_", ""), ended - began, ended - body - (open[0] - before), 0]);

const answer = async () => found;
export { answer as @HANDLER@ };
