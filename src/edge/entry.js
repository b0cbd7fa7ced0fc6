// The Worker's entry of the unwinding build. worker-build's own is a class behind proxies, for
// instances that outlive WebAssembly's: each request makes one of it, which is 5 % of what a short call
// costs. What it exports as `fetch` sees to a new instance by itself, so it needs neither.

import Entrypoint, { ClientObject, ReportObject, TallyObject } from "bundled";

const { fetch } = Entrypoint.prototype;

export { ClientObject, ReportObject, TallyObject };

export default {
  fetch(request, env, ctx) {
    return fetch.call({ env, ctx }, request);
  },
};
