// Passes a request on to the client's object that `client` names.

export default {
  fetch(request, env) {
    const url = new URL(request.url);
    return env.CLIENTS.getByName(url.searchParams.get("client")).fetch(`https://client${url.pathname}`, request);
  },
};
