exports.handler = awslambda.streamifyResponse(async (event, stream) => stream.end());
