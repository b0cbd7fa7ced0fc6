// Passes a request on to the client's object that `client` names, or to the shelf of
// reports that `shelf` does.

export default {
  fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    const [client, shelf] = ["client", "shelf"].map((name) => searchParams.get(name));
    const object = shelf ? env.REPORTS.getByName(shelf) : env.CLIENTS.getByName(client);
    return object.fetch(`https://object${pathname}`, request);
  },
};
