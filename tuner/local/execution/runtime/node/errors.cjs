// Error objects in the shapes that Lambda's Node.js runtime answers and logs.
"use strict";

const { isNativeError } = require("node:util").types;

/** An error of the runtime's own, named as Lambda names it. */
function runtimeError(kind, message) {
  const Named = { [kind]: class extends Error {} }[kind]; // its stack begins with its name
  Named.prototype.name = `Runtime.${kind}`;
  return new Named(message);
}

/** An Error of any realm, or what looks like one: its name, message and stack are texts. */
function isError(thrown) {
  const looks = (name) => thrown[name] && typeof thrown[name] === "string";
  return isNativeError(thrown) || (thrown && ["name", "message", "stack"].every(looks));
}

/** What an invocation answers: errorType, errorMessage, trace. Anything may have been thrown. */
function errorObject(thrown) {
  try {
    if (!isError(thrown)) {
      return { errorType: typeof thrown, errorMessage: thrown.toString(), trace: [] };
    }
    const { name, message, stack } = thrown;
    return { errorType: name, errorMessage: message, trace: stack.split("\n") };
  } catch {
    return {
      errorType: "handled",
      errorMessage:
        "callback called with Error argument, but there was a problem while retrieving one or " +
        "more of its message, name, and stack",
    };
  }
}

function asError(thrown) {
  return thrown instanceof Error ? thrown : new Error(thrown);
}

/** What a text log's line shows: the error's own properties too, and those of errors in it. */
function loggedText(thrown) {
  const error = asError(thrown);
  const shown = (_, value) => {
    if (!(value instanceof Error)) return value;
    const { name, message, code, stack } = value;
    const shape = { errorType: name, errorMessage: message, code, ...value };
    if (typeof stack === "string") shape.stack = stack.split("\n");
    return shape;
  };
  try {
    return JSON.stringify(error, shown);
  } catch {
    return JSON.stringify(errorObject(error));
  }
}

function unhandledRejection(reason, promise) {
  const error = runtimeError("UnhandledPromiseRejection", String(reason));
  return Object.assign(error, { reason, promise });
}

module.exports = { asError, errorObject, loggedText, runtimeError, unhandledRejection };
