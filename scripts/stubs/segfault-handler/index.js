// Stands in for the real package, which naudiodon asks for: that one is not Node-API, so it does not load in
// Node 24 or Electron, and it writes crash.log into the working directory.
exports.registerHandler = () => {};
