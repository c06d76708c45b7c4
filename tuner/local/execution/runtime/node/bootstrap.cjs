// Lambda's Node.js runtime, as far as a handler can tell: it loads the handler that _HANDLER names
// and serves the Runtime API until its process ends. Started by `tuner.local`, with Node.js 18 or
// later; needs nothing but Node.js.
"use strict";

const http = require("node:http");
const { installConsole, logError } = require("./console.cjs");
const { errorObject, unhandledRejection, runtimeError } = require("./errors.cjs");
const { loadHandler } = require("./loading.cjs");
const { makeContext } = require("./context.cjs");

const [HOST, PORT] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const ROOT = "/2018-06-01/runtime";
const EXIT_UNHANDLED_REJECTION = 128; // the exit codes of Lambda's own client
const EXIT_UNCAUGHT = 129;
const NEVER_SETTLED =
  "The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly " +
  "caused by a Promise that was never settled. For more information, see " +
  "https://nodejs.org/docs/latest/api/process.html#exit-codes";
const REQUEST_ID = Symbol.for("aws.lambda.runtime.requestId");
const agent = new http.Agent({ keepAlive: true });

let requestId; // of the event that is being handled
let onIdle = null; // what to do when nothing is left that the event loop would wait for

function call(method, path, body, headers = {}) {
  return new Promise((resolve, reject) => {
    if (body !== undefined) {
      headers["Content-Type"] = "application/json";
      headers["Content-Length"] = Buffer.byteLength(body);
    }
    const options = { host: HOST, port: PORT, agent, method, path: ROOT + path, headers };
    const request = http.request(options, (response) => {
      const pieces = [];
      response.on("data", (piece) => pieces.push(piece));
      response.on("error", reject);
      response.on("end", () =>
        resolve({ headers: response.headers, body: Buffer.concat(pieces).toString() }),
      );
    });
    request.on("error", reject);
    request.end(body);
  });
}

function postError(path, error) {
  const shape = errorObject(error);
  return call("POST", path, JSON.stringify(shape), {
    "Lambda-Runtime-Function-Error-Type": shape.errorType,
  });
}

/** Tell of an error that nobody caught, and end: the environment is not used again. */
function die(said, error, code) {
  logError(said, error);
  const path = requestId === undefined ? "/init/error" : `/invocation/${requestId}/error`;
  const leave = () => process.exit(code);
  postError(path, error).then(leave, leave);
}

function serialised(value) {
  let text;
  try {
    text = JSON.stringify(value === undefined ? null : value);
  } catch {
    throw new Error("Unable to stringify response body");
  }
  return text === undefined ? "null" : text;
}

/** Call the handler: resolves with what it answers, by whichever way it does. */
function run(handler, event, headers) {
  return new Promise((resolve, reject) => {
    const { context, callback, waitsForIdle } = makeContext(headers, (error, value) => {
      const failed = error !== undefined && error !== null; // which waits for nothing
      const answer = failed ? () => reject(error) : () => resolve(value);
      if (waitsForIdle() && !failed) onIdle = answer;
      else setImmediate(answer);
    });
    onIdle = () => resolve(null); // it returned, called nobody back, and nothing is left to do
    let returned;
    try {
      returned = handler(event, context, callback);
    } catch (error) {
      reject(error);
      return;
    }
    if (handler.constructor?.name === "AsyncFunction") {
      onIdle = () => reject(runtimeError("NodeJsExit", NEVER_SETTLED));
    }
    if (returned && typeof returned.then === "function") returned.then(resolve, reject);
  });
}

async function serveOne(handler) {
  requestId = undefined;
  const { headers, body } = await call("GET", "/invocation/next");
  requestId = headers["lambda-runtime-aws-request-id"];
  globalThis[REQUEST_ID] = requestId; // where loggers look for it
  process.env._X_AMZN_TRACE_ID = headers["lambda-runtime-trace-id"] || "";
  const path = `/invocation/${requestId}`;
  try {
    const answer = serialised(await run(handler, JSON.parse(body), headers));
    onIdle = null;
    await call("POST", `${path}/response`, answer);
  } catch (error) {
    onIdle = null;
    logError("Invoke Error", error);
    await postError(`${path}/error`, error);
  }
}

async function main() {
  installConsole(() => requestId);
  process.on("beforeExit", () => {
    const next = onIdle;
    onIdle = null;
    if (next) next();
  });
  process.on("uncaughtException", (error) => die("Uncaught Exception", error, EXIT_UNCAUGHT));
  process.on("unhandledRejection", (reason, promise) =>
    die("Unhandled Promise Rejection", unhandledRejection(reason, promise), EXIT_UNHANDLED_REJECTION),
  );
  let handler;
  try {
    handler = await loadHandler(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER);
  } catch (error) {
    die("Uncaught Exception", error, EXIT_UNCAUGHT);
    return;
  }
  for (;;) await serveOne(handler);
}

main();
