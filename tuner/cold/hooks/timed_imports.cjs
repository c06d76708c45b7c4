// Stands in for a function's own module: loads it, and times each file that it requires. Its handler
// answers [[module, ms, ms without what it requires itself, depth], ...] in place of the function's.
// The names in @ are filled in. Node.js 18 and later; needs nothing else.
"use strict";

const Module = require("node:module");
const path = require("node:path");

const [FILE, HANDLER] = ["@FILE@", "@HANDLER@"];
const found = [];
const open = []; // for each file under way, the ms of those inside it
const load = Module.prototype.load;

/** node_modules/@aws-sdk/client-s3/dist/index.js is @aws-sdk/client-s3/dist/index.js. */
function nameOf(file) {
  const place = file.lastIndexOf(`${path.sep}node_modules${path.sep}`);
  const name = place < 0 ? path.relative(__dirname, file) : file.slice(place + 14);
  return name.replace("tuner_timed_", "");
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
    if (open.length > 0) open[open.length - 1] += took;
    found.push([nameOf(file), took, took - inside, depth]);
  }
};

try {
  require(path.join(__dirname, FILE));
} finally {
  Module.prototype.load = load;
}

exports[HANDLER] = async () => found;
