// Error objects in the shapes that Lambda's Node.js runtime answers and logs.
"use strict";

/** An error of the runtime's own, named as Lambda names it. */
function runtimeError(kind, message) {
  const error = new Error(message);
  error.name = `Runtime.${kind}`;
  return error;
}

function isError(thrown) {
  return thrown instanceof Error || Object.prototype.toString.call(thrown) === "[object Error]";
}

function stackLines(error) {
  return String(error.stack || "").split("\n").filter((line) => line !== "");
}

/** What an invocation answers: errorType, errorMessage, trace. Anything may have been thrown. */
function errorObject(thrown) {
  if (!isError(thrown)) {
    return { errorType: typeof thrown, errorMessage: String(thrown), trace: [] };
  }
  const shape = { errorType: thrown.name, errorMessage: thrown.message };
  if (thrown.reason !== undefined) shape.reason = loggedObject(thrown.reason);
  if (thrown.promise !== undefined) shape.promise = {};
  return { ...shape, trace: stackLines(thrown) };
}

/** What a log line shows: the error's own properties too, and its stack. */
function loggedObject(thrown) {
  if (!isError(thrown)) {
    return { errorType: typeof thrown, errorMessage: String(thrown), stack: [] };
  }
  const own = { ...thrown };
  for (const name of ["name", "reason", "promise"]) delete own[name];
  const shape = { errorType: thrown.name, errorMessage: thrown.message, ...own };
  if (thrown.reason !== undefined) shape.reason = loggedObject(thrown.reason);
  if (thrown.promise !== undefined) shape.promise = {};
  return { ...shape, stack: stackLines(thrown) };
}

function unhandledRejection(reason, promise) {
  const error = runtimeError("UnhandledPromiseRejection", String(reason));
  error.reason = reason === undefined ? null : reason;
  error.promise = promise;
  return error;
}

module.exports = { errorObject, isError, loggedObject, runtimeError, unhandledRejection };
