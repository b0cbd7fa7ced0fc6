// What `decode` answers, said in the words that another implementation uses: per
// judge and kind a function from our answer to the facts that are compared, and
// which texts of the corpus the judge takes at all. `null` refuses, as a judge does.

/** Text in the form of a TXT record's value, which is all that most judges read. */
const isBare = ({ text }) => !text.includes('"') && !text.includes(" TXT ");
const isNoHeader = ({ text }) => !/^[\w-]+: /.test(text);
const orNull = (value) => value ?? null;
const lower = (text) => text.toLowerCase();
const unlessInvalid = (facts) => (answer) => (answer.fields.valid ? facts(answer.fields, answer) : null);
/** Of nothing but broken blocks we say what is wrong with them; a judge reads no certificate there either. */
const ofCertificate = (facts) => ({ fields }) => (fields.serial === undefined ? null : facts(fields));
const has = (answer, code) => answer.problems.some((problem) => problem.code === code);

const ALGORITHMS = { RSA: "RSA", EC: "EC", ECDSA: "EC", Ed25519: "ED25519" };
const keyOf = (key) => [ALGORITHMS[key.algorithm] ?? key.algorithm, key.bits];

const extensions = (fields) => ({
  dnsNames: fields.dnsNames,
  ipAddresses: fields.ipAddresses,
  isCa: fields.isCa,
  extendedKeyUsage: [...fields.extendedKeyUsage].sort(),
});

export const OURS = [
  {
    judge: "checkdmarc",
    kind: "spf",
    takes: isBare,
    facts: unlessInvalid(({ all, redirect, terms, lookups }) => ({
      all: orNull(all),
      redirect: orNull(redirect),
      mechanisms: terms.filter(({ qualifier, name }) => qualifier && name !== "all").map(({ name }) => name),
      lookups,
    })),
  },
  {
    judge: "checkdmarc",
    kind: "dmarc",
    takes: isBare,
    facts: unlessInvalid((fields) => ({
      policy: fields.policy ?? fields.effective.domain,
      subdomains: fields.subdomainPolicy ?? fields.policy ?? fields.effective.domain,
      nonexistent: fields.nonexistentPolicy ?? fields.subdomainPolicy ?? fields.policy ?? fields.effective.domain,
      strictDkim: fields.dkimAlignment === "strict",
      strictSpf: fields.spfAlignment === "strict",
      testing: fields.testing,
      publicSuffix: fields.publicSuffix,
      aggregate: fields.aggregateReports.map(({ uri }) => lower(uri)),
      failure: fields.failureReports.map(({ uri }) => lower(uri)),
    })),
  },
  {
    judge: "checkdmarc",
    kind: "mta_sts",
    takes: isBare,
    facts: unlessInvalid(({ form, id, mode, maxAge, mx }) => (form === "record" ? { id } : { mode, maxAge, mx })),
  },
  { judge: "checkdmarc", kind: "tls_rpt", takes: isBare, facts: unlessInvalid(({ reports }) => ({ reports })) },
  {
    judge: "checkdmarc",
    kind: "bimi",
    takes: isBare,
    facts: (answer) =>
      answer.fields.valid || answer.fields.declined
        ? { logo: orNull(answer.fields.logo), evidence: orNull(answer.fields.evidence) }
        : null,
  },
  {
    judge: "dkimpy",
    kind: "dkim",
    takes: isBare,
    facts: unlessInvalid(({ keyType, key }) => (key ? { keyType, bits: key.bits } : null)),
  },
  {
    judge: "authres",
    kind: "authentication_results",
    takes: ({ text }) => !/^ARC-/.test(text) && text.split(/\nAuthentication-Results/).length === 1,
    facts: (answer) =>
      has(answer, "authentication_results.syntax") || has(answer, "authentication_results.no_server")
        ? null
        : { server: answer.fields.server, results: answer.fields.results.map(({ method, result }) => [method, result]) },
  },
  {
    judge: "dnspython",
    kind: "caa",
    takes: () => true,
    facts: (answer) =>
      has(answer, "caa.malformed") || has(answer, "caa.bad_flags")
        ? null
        : { records: answer.fields.records.map(({ flags, tag, value }) => [flags, tag, value]) },
  },
  {
    judge: "dnspython",
    kind: "tlsa",
    takes: () => true,
    facts: (answer) =>
      ["malformed", "bad_data", "bad_length"].some((code) => has(answer, `tlsa.${code}`))
        ? null
        : { records: answer.fields.records.map(({ usage, selector, matching, data }) => [usage, selector, matching, data]) },
  },
  {
    judge: "idna",
    kind: "host",
    takes: () => true,
    facts: (answer) => hostForm(answer),
  },
  { judge: "node:url", kind: "host", takes: () => true, facts: (answer) => hostForm(answer) },
  {
    judge: "ipaddress",
    kind: "ip",
    takes: ({ text }) => !text.includes("%"), // Python's own versions differ about zones

    facts: ({ fields }) => ({
      version: fields.version,
      address: fields.expanded ?? fields.address,
      reverse: fields.reverse,
      global: fields.block?.globallyReachable ?? true,
    }),
  },
  {
    judge: "ipaddress",
    kind: "cidr",
    takes: () => true,
    facts: ({ fields: { network, first, last, addresses } }) => ({ network, first, last, addresses }),
  },
  {
    judge: "cryptography",
    kind: "certificate",
    takes: () => true,
    facts: ofCertificate((fields) => ({
      version: fields.version,
      serial: String(BigInt(`0x${fields.serial}`)),
      notBefore: fields.notBefore,
      notAfter: fields.notAfter,
      key: keyOf(fields.key),
      sha256: fields.sha256,
      ...extensions(fields),
    })),
  },
  {
    judge: "openssl",
    kind: "certificate",
    takes: () => true,
    facts: ofCertificate((fields) => ({
      subject: fields.subject,
      issuer: fields.issuer,
      serial: String(BigInt(`0x${fields.serial}`)),
      notBefore: fields.notBefore,
      notAfter: fields.notAfter,
      sha256: fields.sha256,
      spkiSha256: fields.spkiSha256,
      signatureAlgorithm: fields.signatureAlgorithm,
    })),
  },
  {
    judge: "cryptography",
    kind: "csr",
    takes: () => true,
    facts: ({ fields }) => ({ key: keyOf(fields.key), ...extensions(fields) }),
  },
  {
    judge: "openssl",
    kind: "csr",
    takes: () => true,
    facts: ({ fields }) => ({
      subject: fields.subject,
      spkiSha256: fields.spkiSha256,
      signatureAlgorithm: fields.signatureAlgorithm,
    }),
  },
  {
    judge: "cryptography",
    kind: "private_key",
    takes: ({ text }) => text.startsWith("-----BEGIN"),
    facts: ({ fields }) => (fields.encrypted ? { encrypted: true } : { encrypted: false, key: keyOf(fields.key) }),
  },
  {
    judge: "openssl",
    kind: "private_key",
    takes: ({ text }) => text.startsWith("-----BEGIN"),
    facts: ({ fields }) => (fields.encrypted ? null : { spkiSha256: orNull(fields.spkiSha256) }),
  },
  {
    judge: "PyJWT",
    kind: "jwt",
    takes: () => true,
    facts: (answer) => {
      const { form, header, claims, times } = answer.fields;
      if (form === "encrypted" || !claims || has(answer, "jwt.not_base64url")) return null;
      const expired = times.expired ?? false;
      return { header, claims, expired, early: has(answer, "jwt.not_yet_valid") && !expired };
    },
  },
  {
    judge: "jwcrypto",
    kind: "jwk",
    takes: () => true,
    facts: (answer) => {
      const isBroken = ["missing_member", "not_base64url", "bad_curve", "not_a_key", "unknown_type"];
      if (isBroken.some((code) => has(answer, `jwk.${code}`))) return null;
      const keys = answer.fields.keys.map((key) => [key.keyType, key.thumbprint, key.private]);
      return { keys: keys.sort() };
    },
  },
  { judge: "sectxt", kind: "security_txt", takes: ({ text }) => !text.startsWith("-----"), facts: ({ fields }) => ({ valid: fields.valid }) },
  {
    judge: "h11",
    kind: "http_head",
    takes: ({ text }) => text.endsWith("\r\n\r\n"),
    facts: (answer) => {
      const isBroken = ["two_lengths", "space_before_colon", "control_character", "bad_start_line", "no_colon", "bad_name", "host"];
      if (isBroken.some((code) => has(answer, `http_head.${code}`))) return null;
      return { status: orNull(answer.fields.status), headers: answer.fields.headers.map(({ name }) => name) };
    },
  },
  {
    judge: "uuid",
    kind: "uuid",
    takes: () => true,
    facts: ({ fields }) => ({
      uuid: fields.uuid,
      version: orNull(fields.version),
      node: fields.version === 1 ? fields.node.replaceAll(/[:-]/g, "") : null,
      clockSequence: fields.version === 1 ? fields.clockSequence : null,
      milliseconds: fields.version === 1 ? fields.milliseconds : null,
    }),
  },
  {
    judge: "python-ulid",
    kind: "ulid",
    takes: () => true,
    facts: (answer) => (has(answer, "ulid.overflow") ? null : { milliseconds: answer.fields.milliseconds, uuid: answer.fields.uuid }),
  },
  // A bare number's unit is a guess of ours; Python takes every number for seconds.
  {
    judge: "datetime",
    kind: "unix_time",
    takes: ({ text }) => !/^\d{12,}$/.test(text),
    facts: (answer) => (has(answer, "unix_time.out_of_range") ? null : { seconds: answer.fields.seconds }),
  },
  {
    judge: "csp_evaluator",
    kind: "csp",
    takes: (line) => isNoHeader(line) && !line.text.includes(", "),
    facts: (answer) => {
      const code = (...names) => names.some((name) => has(answer, `csp.${name}`));
      return {
        scriptsOpen: code("scripts_open"),
        objectsOpen: code("objects_open"),
        baseOpen: code("base_open_strict"),
        unsafeInline: code("unsafe_inline"),
        unsafeEval: code("unsafe_eval"),
        anywhere: code("open_scripts"),
        bypass: code("shared_host"),
        missingSemicolon: code("missing_semicolon"),
        unknownDirective: code("unknown_directive"),
        badKeyword: code("bad_source"),
        shortNonce: code("short_nonce"),
        address: code("address_source"),
        plainHttp: code("plain_source"),
        dynamicAlone: code("dynamic_alone"),
        unsafeHashes: code("unsafe_hashes"),
      };
    },
  },
  {
    judge: "tough-cookie",
    kind: "set_cookie",
    takes: () => true,
    facts: ({ fields: { cookies: [cookie] }, ...answer }) =>
      has(answer, "set_cookie.control_character") || has(answer, "set_cookie.empty") ? null : {
        name: cookie.name,
        valueLength: cookie.valueLength,
        domain: orNull(cookie.domain),
        path: orNull(cookie.path),
        secure: cookie.secure,
        httpOnly: cookie.httpOnly,
        sameSite: cookie.sameSite ? lower(cookie.sameSite) : null,
        maxAge: orNull(cookie.maxAge),
        expires: cookie.expires ? Date.parse(cookie.expires) / 1000 : null,
      },
  },
  {
    judge: "hstsheader",
    kind: "hsts",
    takes: () => true,
    facts: unlessInvalid(({ maxAge, includeSubDomains, preload, preloadable }) => ({
      maxAge: Math.min(maxAge, 2 ** 31), // where RFC 9111 section 1.2.2 lets it end
      includeSubDomains,
      preload,
      preloadable,
    })),
  },
  {
    judge: "structured-headers",
    kind: "permissions_policy",
    takes: () => true,
    facts: unlessInvalid(({ features }) => ({ features: features.map(({ name }) => name).sort() })),
  },
  {
    judge: "structured-headers",
    kind: "alt_svc",
    takes: ({ text }) => !/clear/.test(text),
    facts: (answer) =>
      has(answer, "alt_svc.syntax")
        ? null
        : {
            services: answer.fields.services.map(({ protocol, host, port, maxAge }) => [
              protocol,
              `${host?.includes(":") ? `[${host.replace(/[[\]]/g, "")}]` : (host ?? "")}:${port}`,
              orNull(maxAge),
            ]),
          },
  },
  {
    judge: "WHATWG URL",
    kind: "url",
    takes: () => true,
    facts: ({ fields }) => ({
      scheme: fields.scheme,
      user: fields.user,
      password: fields.password,
      host: orNull(fields.host),
      path: fields.path,
      port: orNull(fields.port),
      origin: fields.origin,
    }),
  },
  {
    judge: "WHATWG fetch",
    kind: "data_uri",
    takes: () => true,
    facts: (answer) =>
      has(answer, "data_uri.bad_base64") ? null : { mediaType: lower(answer.fields.mediaType), bytes: answer.fields.bytes },
  },
  {
    judge: "node:buffer",
    kind: "base64",
    takes: () => true,
    facts: (answer) => (has(answer, "base64.cut_off") ? null : { bytes: answer.fields.bytes }),
  },
  {
    judge: "node:buffer",
    kind: "hex",
    takes: () => true,
    facts: (answer) => (has(answer, "hex.odd_length") ? null : { bytes: answer.fields.bytes }),
  },
  {
    judge: "JSON.parse",
    kind: "json",
    takes: () => true,
    facts: unlessInvalid(({ type, width, names }) => ({ type, width, names: names ?? [] })),
  },
];

function hostForm(answer) {
  const isBroken = ["bad_character", "empty_label", "long_label", "long_name", "bad_punycode", "no_ascii_form"];
  if (!answer.fields.ascii || isBroken.some((code) => has(answer, `host.${code}`))) return null;
  return { ascii: answer.fields.ascii };
}
