// Finds and loads the handler that a name such as src/index.handler means, as Lambda does.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { createRequire } = require("node:module");
const { pathToFileURL } = require("node:url");
const { runtimeError } = require("./errors.cjs");

const STREAMING = Symbol.for("aws.lambda.runtime.handler.streaming");
const NO_STREAMING =
  "response streaming can't be emulated by the local Lambda: answer with the whole response, " +
  "or tune this function on AWS";

/** What the handler's module gets as `awslambda`: enough to be refused in a line. */
function installStreamingRefusal() {
  globalThis.awslambda = {
    streamifyResponse() {
      throw runtimeError("StreamingNotSupported", NO_STREAMING);
    },
    HttpResponseStream: {
      from() {
        throw runtimeError("StreamingNotSupported", NO_STREAMING);
      },
    },
  };
}

async function loadHandler(taskRoot, name) {
  installStreamingRefusal();
  const base = path.basename(name);
  const dot = base.indexOf(".");
  if (name.includes("..")) {
    throw runtimeError(
      "MalformedHandlerName",
      `'${name}' is not a valid handler name. Use absolute paths when specifying root ` +
        "directories in handler names.",
    );
  }
  if (dot < 0) throw runtimeError("MalformedHandlerName", "Bad handler");
  const folder = path.join(taskRoot, name.slice(0, name.length - base.length));
  const module = await loadModule(taskRoot, folder, base.slice(0, dot));
  const keys = base.slice(dot + 1).split(".");
  const found = [module, module && module.default]
    .map((start) => keys.reduce((value, key) => (value ? value[key] : undefined), start))
    .find((value) => value !== undefined && value !== null);
  if (found === undefined) {
    throw runtimeError("HandlerNotFound", `${name} is undefined or not exported`);
  }
  if (typeof found !== "function") {
    throw runtimeError("HandlerNotFound", `${name} is not a function`);
  }
  refuseStyle(found);
  return found;
}

/** Node.js 24 was the first runtime without callbacks: there a third parameter is refused. */
function refuseStyle(handler) {
  if (handler[STREAMING] !== undefined) throw runtimeError("StreamingNotSupported", NO_STREAMING);
  const named = /nodejs(\d+)\.x$/.exec(process.env.AWS_EXECUTION_ENV || "");
  if (named && Number(named[1]) >= 24 && handler.length >= 3) {
    throw runtimeError(
      "CallbackHandlerDeprecated",
      "Lambda's Node.js runtimes from 24 on take no callback: make the handler async, with the " +
        "parameters event and context",
    );
  }
}

async function loadModule(taskRoot, folder, module) {
  const file = moduleFile(path.resolve(folder, module));
  try {
    if (file !== null) return await loadFile(file, taskRoot);
    // Not in the package: a layer's or another that NODE_PATH leads to.
    const near = createRequire(path.join(folder, "x.js"));
    return near(near.resolve(module, { paths: [taskRoot, folder] }));
  } catch (error) {
    if (error instanceof SyntaxError) throw renamed("UserCodeSyntaxError", error);
    if (["MODULE_NOT_FOUND", "ERR_MODULE_NOT_FOUND"].includes(error?.code)) hintAtSdk(error);
    if (error?.code === "MODULE_NOT_FOUND") throw renamed("ImportModuleError", error);
    throw error; // a missing import of an ES module is left as it is, on Lambda too
  }
}

function moduleFile(stem) {
  const found = ["", ".js", ".mjs", ".cjs"].find((ending) => isFile(stem + ending));
  return found === undefined ? null : stem + found;
}

function isFile(name) {
  return fs.statSync(name, { throwIfNoEntry: false })?.isFile() ?? false;
}

function loadFile(file, taskRoot) {
  const isModule =
    file.endsWith(".mjs") ||
    (file.endsWith(".js") && isModuleFolder(path.dirname(file), taskRoot));
  if (isModule) return import(pathToFileURL(file).href);
  return createRequire(file)(file);
}

/** Whether the nearest package.json, up to the package's root, says that .js is an ES module. */
function isModuleFolder(folder, taskRoot) {
  for (let at = folder; ; at = path.dirname(at)) {
    const file = path.join(at, "package.json");
    if (isFile(file)) {
      try {
        return JSON.parse(fs.readFileSync(file, "utf8"))?.type === "module";
      } catch (error) {
        console.warn(
          `${file} cannot be read, it will be ignored for ES module detection purposes.`,
          error,
        );
        return false;
      }
    }
    if (at === taskRoot || at === path.dirname(at) || path.basename(at) === "node_modules") {
      return false;
    }
  }
}

function renamed(kind, error) {
  const made = runtimeError(kind, String(error));
  made.stack = `${made.name}: ${made.message}\n${String(error.stack).split("\n").slice(1).join("\n")}`;
  return made;
}

/** Lambda's Node.js runtimes bring the AWS SDK along; this host does not. */
function hintAtSdk(error) {
  if (/@aws-sdk\/|@smithy\/|'aws-sdk['/]/.test(String(error.message))) {
    console.error(
      "tuner: Lambda's Node.js runtimes bring the AWS SDK, this host does not: " +
        "have the function built, so that npm installs it",
    );
  }
}

module.exports = { loadHandler };
