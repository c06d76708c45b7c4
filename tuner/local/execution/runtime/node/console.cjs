// console.* as on Lambda: time, request id and level before each entry, or a JSON record.
"use strict";

const { format } = require("node:util");
const { asError, loggedText } = require("./errors.cjs");

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
const TEXT_FRAME = 0xa55a0003;
const JSON_FRAME = 0xa55a0002;

let currentId = () => undefined;

const isJson = () => process.env.AWS_LAMBDA_LOG_FORMAT === "JSON";

/** One entry is one frame, whatever its lines: type, length, microseconds, message. */
function write(kind, level, date, text) {
  const message = Buffer.from(text);
  const head = Buffer.alloc(16);
  head.writeUInt32BE(kind + 4 * LEVELS[level], 0);
  head.writeUInt32BE(message.length, 4);
  head.writeBigInt64BE(BigInt(date.valueOf()) * 1000n, 8);
  process.stdout.write(Buffer.concat([head, message]));
}

function writeText(level, ...values) {
  const date = new Date();
  const text = `${date.toISOString()}\t${currentId()}\t${level}\t${format(...values)}\n`;
  write(TEXT_FRAME, level, date, text);
}

const errorRecord = (error) => ({
  errorType: error.constructor?.name ?? "UnknownError",
  errorMessage: error.message,
  stackTrace: typeof error.stack === "string" ? error.stack.split("\n") : error.stack,
});

const withErrors = (_, value) =>
  value instanceof Error ? { ...errorRecord(value), ...value } : value;

function jsonEntry(record, values) {
  if (values.length === 1) {
    try {
      return JSON.stringify({ ...record, message: values[0] }, withErrors);
    } catch {
      return JSON.stringify({ ...record, message: format(values[0]) });
    }
  }
  const error = values.find((value) => value instanceof Error);
  return JSON.stringify({
    ...record,
    message: format(...values),
    ...(error && errorRecord(error)),
  });
}

function writeJson(level, ...values) {
  const date = new Date();
  const record = { timestamp: date.toISOString(), level, requestId: currentId() };
  write(JSON_FRAME, level, date, jsonEntry(record, values));
}

function installConsole(requestId) {
  currentId = requestId;
  const least = LEVELS[(process.env.AWS_LAMBDA_LOG_LEVEL || "").toUpperCase()] || LEVELS.TRACE;
  const log = isJson() ? writeJson : writeText;
  for (const [method, level] of Object.entries(METHODS)) {
    const isKept = LEVELS[level] >= least || level === "FATAL";
    console[method] = isKept ? (value, ...more) => log(level, value, ...more) : () => {};
  }
}

/** What the runtime itself logs of an error: "Invoke Error", "Uncaught Exception" and the like. */
function logError(said, error) {
  if (isJson()) console.error(asError(error));
  else console.error(said, `\t${loggedText(error)}`);
}

module.exports = { installConsole, logError };
