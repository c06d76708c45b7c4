// The same as timed_imports.cjs for an ES module. What it imports statically is one graph, timed as
// a whole; CommonJS files in it are timed each.
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

const began = performance.now();
try {
  await import(new URL(FILE, import.meta.url).href);
} finally {
  Module.prototype.load = load;
}
const took = performance.now() - began;
found.push([FILE.replace("tuner_timed_", ""), took, took - open[0], 0]);

const answer = async () => found;
export { answer as @HANDLER@ };
