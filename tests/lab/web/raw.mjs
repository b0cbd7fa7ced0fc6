// Servers that are no HTTP or TLS servers: what they do with a bare connection.

export const RAW = {
  /** Accepts and says nothing. */
  silent(socket) {
    socket.on("data", () => {});
  },
};
