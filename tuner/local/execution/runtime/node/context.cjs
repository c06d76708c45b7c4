// The context object, and the three older ways of answering that go with it.
"use strict";

/** `answer(error, value)` is told once; later calls are without effect, as on Lambda. */
function makeContext(headers, answer) {
  const deadlineMs = Number(headers["lambda-runtime-deadline-ms"]);
  let waits = true;
  let answered = false;
  const callback = (error, value) => {
    if (answered) return;
    answered = true;
    answer(error, value);
  };
  const context = {
    get callbackWaitsForEmptyEventLoop() {
      return waits;
    },
    set callbackWaitsForEmptyEventLoop(value) {
      waits = value;
    },
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: parsed(headers["lambda-runtime-client-context"]),
    identity: parsed(headers["lambda-runtime-cognito-identity"]),
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    getRemainingTimeInMillis: () => deadlineMs - Date.now(),
  };
  // These three never wait for the event loop.
  const done = (error, value) => {
    waits = false;
    callback(error, value);
  };
  Object.assign(context, {
    done,
    succeed: (value) => done(null, value),
    fail: (error) => done(error === undefined || error === null ? "handled" : error),
  });
  return { context, callback, waitsForIdle: () => waits };
}

function parsed(text) {
  return text ? JSON.parse(text) : undefined;
}

module.exports = { makeContext };
