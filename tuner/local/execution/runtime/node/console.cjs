// console.* as on Lambda: time, request id and level before each entry, or a JSON record.
"use strict";

const { format } = require("node:util");
const { isError, loggedObject } = require("./errors.cjs");

const LEVELS = { TRACE: 1, DEBUG: 2, INFO: 3, WARN: 4, ERROR: 5, FATAL: 6 };
const METHODS = {
  trace: "TRACE",
  debug: "DEBUG",
  log: "INFO",
  info: "INFO",
  warn: "WARN",
  error: "ERROR",
  fatal: "FATAL",
};

let currentId = () => undefined;

const isJson = () => process.env.AWS_LAMBDA_LOG_FORMAT === "JSON";
const now = () => new Date().toISOString();

function write(line) {
  process.stdout.write(`${line}\n`);
}

/** One entry is one line: its own line ends are carriage returns, which the log turns back. */
function writeText(level, text) {
  write(`${now()}\t${currentId()}\t${level}\t${text.replace(/\n/g, "\r")}`);
}

function writeJson(level, values) {
  const record = { timestamp: now(), level };
  if (currentId() !== undefined) record.requestId = currentId();
  const error = values.find(isError);
  record.message = values.length === 1 && !isError(values[0]) ? values[0] : format(...values);
  if (error !== undefined) {
    const { errorType, errorMessage, stack } = loggedObject(error);
    Object.assign(record, { errorType, errorMessage, stackTrace: stack.slice(1) });
  }
  let line;
  try {
    line = JSON.stringify(record);
  } catch {
    line = JSON.stringify({ ...record, message: format(...values) });
  }
  write(line);
}

function installConsole(requestId) {
  currentId = requestId;
  const least = LEVELS[(process.env.AWS_LAMBDA_LOG_LEVEL || "").toUpperCase()] || LEVELS.TRACE;
  for (const [method, level] of Object.entries(METHODS)) {
    if (isJson() && LEVELS[level] < least) console[method] = () => {};
    else if (isJson()) console[method] = (...values) => writeJson(level, values);
    else console[method] = (...values) => writeText(level, format(...values));
  }
}

/** What the runtime itself logs of an error: "Invoke Error", "Uncaught Exception" and the like. */
function logError(said, error) {
  if (isJson()) writeJson("ERROR", [error]);
  else writeText("ERROR", `${said} \t${JSON.stringify(loggedObject(error))}`);
}

module.exports = { installConsole, logError };
