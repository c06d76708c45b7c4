// Handlers for the tests of Node.js; every one is told by its event what to do.
const fs = require("node:fs");
console.log("module level");
let calls = 0;
const later = (ms, value) => new Promise((resolve) => setTimeout(resolve, ms, value));

exports.echo = async (event) => ({ event, calls: ++calls, pid: process.pid });
exports.empty = async () => {};
exports.nested = { deep: { handler: async () => "deep" } };
exports.notAFunction = 1;
exports.variables = async () => process.env;
exports.describe = async (event, context) => ({
  ...context,
  leftMs: context.getRemainingTimeInMillis(),
  cwd: process.cwd(),
  trace: process.env._X_AMZN_TRACE_ID,
  node: process.versions.node,
  tmp: fs.readdirSync("/tmp"),
});

exports.callback = (event, context, callback) => callback(null, { event });
exports.callbackError = (event, context, callback) => callback(new RangeError("as asked"));
exports.callbackText = (event, context, callback) => callback("only text");
exports.callbackLater = (event, context, callback) => setTimeout(callback, 20, null, "later");
exports.callbackThenWork = (event, context, callback) => {
  context.callbackWaitsForEmptyEventLoop = event.waits;
  const begin = Date.now();
  setTimeout(() => console.log("worked on"), 300);
  callback(null, begin);
};
exports.callbackErrorThenWork = (event, context, callback) => {
  setTimeout(() => {}, 10_000);
  callback(event.error);
};
exports.nothing = () => "a value that nobody takes";
exports.succeed = (event, context) => context.succeed("by context");
exports.fail = (event, context) => context.fail(new Error("by context"));
exports.unsettled = async () => new Promise(() => {});
exports.pending = () => new Promise(() => {});
exports.circular = async () => {
  const value = {};
  value.itself = value;
  return value;
};

exports.throws = async () => {
  throw new TypeError("as asked");
};
exports.throwsText = async () => {
  throw "only text";
};
exports.throwsLater = async () => {
  setTimeout(() => {
    throw new Error("nobody catches it");
  }, 10);
  await later(5000);
};
exports.rejects = async () => {
  Promise.reject(new Error("nobody awaits it"));
  await later(5000);
};
exports.exits = async (event) => {
  process.stdout.write("last words");
  process.exit(event.code);
};
exports.dies = async (event) => {
  process.kill(process.pid, event.signal);
  await later(5000);
};
exports.sleeps = (event) => later(event.ms, "slept");
exports.eats = async (event) => {
  const kept = [];
  for (let i = 0; i < event.mb; i++) kept.push(Buffer.alloc(1 << 20, 1));
  return kept.length;
};
exports.eatsHeap = async (event) => {
  const kept = [];
  for (let i = 0; i < event.mb * 128; i++) kept.push(new Array(1024).fill(i));
  return kept.length;
};
exports.large = async (event) => "x".repeat(event.size);
exports.talks = async () => {
  console.log("to the %s", "log", { a: 1 });
  console.error(new Error("logged"));
  console.info("two\nlines");
  process.stdout.write("plain\n");
  console.debug("detail");
};
exports.streams = async () => {};
exports.streams[Symbol.for("aws.lambda.runtime.handler.streaming")] = "response";
exports.burns = async (event) => {
  const begin = process.hrtime.bigint();
  const cpu = process.cpuUsage();
  for (;;) {
    const used = process.cpuUsage(cpu);
    if (used.user + used.system >= event.cpu_s * 1e6) break;
  }
  return (event.cpu_s * 1e9) / Number(process.hrtime.bigint() - begin);
};
