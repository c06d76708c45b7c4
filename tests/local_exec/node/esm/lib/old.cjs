exports.handler = async () => "commonjs beside modules";
