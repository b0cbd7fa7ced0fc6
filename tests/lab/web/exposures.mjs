// What lab-exposed.com really serves: {path: {type, body}}, each as the software in question has it.
// No value in here opens anything.

const JSON_TYPE = "application/json";
const HTML = "text/html";

export const EXPOSURES = {
  "/.git/HEAD": { body: "ref: refs/heads/main\n" },
  "/.git/config": {
    body: '[core]\n\trepositoryformatversion = 0\n[remote "origin"]\n\turl = git@lab-exposed.com:site.git\n',
  },
  "/.svn/entries": { body: "12\n\ndir\n42\nhttps://lab-exposed.com/svn/site/trunk\n" },
  "/.hg/requires": { body: "dotencode\nfncache\ngeneraldelta\nrevlogv1\nstore\n" },
  "/.env": {
    body: "APP_ENV=production\nAPP_KEY=base64:bm90LWEtcmVhbC1rZXk=\nDB_PASSWORD=not-a-real-password\n",
  },
  "/.DS_Store": {
    type: "application/octet-stream",
    body: Buffer.from("0000000142756431000010000000080000001000000000ab", "hex"),
  },
  "/.htpasswd": { body: "admin:$apr1$notareal$hashhashhashhashhash0\n" },
  "/.aws/credentials": {
    body: "[default]\naws_access_key_id = AKIANOTAREALKEY00000\naws_secret_access_key = not-a-real-secret\n",
  },
  "/.npmrc": { body: "//registry/:_authToken=not-a-real-token\n" },
  "/server-status": {
    type: HTML,
    body: "<!DOCTYPE HTML>\n<html><head>\n<title>Apache Status</title>\n</head><body>\n<h1>Apache Server Status for lab-exposed.com (via 10.0.0.5)</h1>\n<dl><dt>Server Version: Apache/2.4.57 (Debian)</dt></dl></body></html>\n",
  },
  "/server-info": {
    type: HTML,
    body: "<html><head><title>Server Information</title></head><body><h1>Apache Server Information</h1></body></html>\n",
  },
  "/nginx_status": {
    body: "Active connections: 2 \nserver accepts handled requests\n 10 10 20 \nReading: 0 Writing: 1 Waiting: 1 \n",
  },
  "/phpinfo.php": {
    type: HTML,
    body: '<!DOCTYPE html>\n<html><head><title>PHP 8.1.2 - phpinfo()</title></head><body><h1 class="p">PHP Version 8.1.2</h1><table><tr><td class="e">System</td><td class="v">Linux lab</td></tr></table></body></html>\n',
  },
  "/actuator": {
    type: "application/vnd.spring-boot.actuator.v3+json",
    body: JSON.stringify({
      _links: {
        self: { href: "https://lab-exposed.com/actuator", templated: false },
        env: { href: "https://lab-exposed.com/actuator/env", templated: false },
      },
    }),
  },
  "/actuator/health": {
    type: JSON_TYPE,
    body: '{"status":"UP","components":{"db":{"status":"UP"}}}',
  },
  "/actuator/env": {
    type: "application/vnd.spring-boot.actuator.v3+json",
    body: '{"activeProfiles":["prod"],"propertySources":[{"name":"systemEnvironment","properties":{"DB_PASSWORD":{"value":"******"}}}]}',
  },
  "/metrics": {
    body: "# HELP process_cpu_seconds_total Total user and system CPU time spent in seconds.\n# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total 12.4\n",
  },
  "/swagger.json": {
    type: JSON_TYPE,
    body: '{"swagger":"2.0","info":{"title":"Lab","version":"1"},"paths":{"/users":{"get":{}}}}',
  },
  "/openapi.json": {
    type: JSON_TYPE,
    body: '{"openapi":"3.1.0","info":{"title":"Lab","version":"1"},"paths":{"/users":{"get":{}}}}',
  },
  "/swagger-ui/": {
    type: HTML,
    body: '<html><head><title>Swagger UI</title></head><body><div id="swagger-ui"></div></body></html>',
  },
  "/graphql": {
    type: JSON_TYPE,
    status: 400,
    body: '{"errors":[{"message":"Must provide query string."}]}',
  },
  "/debug/pprof/": {
    type: HTML,
    body: "<html><head><title>/debug/pprof/</title></head><body>/debug/pprof/<br>Types of profiles available:</body></html>",
  },
  "/backup.sql": {
    body: "-- MySQL dump 10.13  Distrib 8.0.35\n--\n-- Host: localhost    Database: site\nDROP TABLE IF EXISTS `users`;\n",
  },
  "/backup.zip": {
    type: "application/zip",
    body: Buffer.from("504b0304140000000800000000000000000000000000", "hex"),
  },
  "/wp-config.php.bak": {
    body: "<?php\ndefine( 'DB_NAME', 'site' );\ndefine( 'DB_PASSWORD', 'not-a-real-password' );\n",
  },
  "/config.json": {
    type: JSON_TYPE,
    body: '{"database":{"host":"10.0.0.6","password":"not-a-real-password"}}',
  },
  "/id_rsa": {
    body: "-----BEGIN OPENSSH PRIVATE KEY-----\nbm90IGEgcmVhbCBrZXk=\n-----END OPENSSH PRIVATE KEY-----\n",
  },
  "/elmah.axd": {
    type: HTML,
    body: "<html><head><title>Error Log for ROOT on LAB</title></head><body></body></html>",
  },
  "/telescope/requests": {
    type: HTML,
    body: '<html><head><title>Telescope</title></head><body><div id="telescope"></div></body></html>',
  },
  "/robots.txt": { body: "User-agent: *\nDisallow: /admin/\nDisallow: /backup/\n" },
};
