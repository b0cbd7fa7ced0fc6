// Spellings of URLs that parsers may read differently: hosts public and not, each bent by
// what attackers are known to use. The same list on every run.

const HOSTS = [
  ...["example.com", "www.example.org", "a.b.example.net", "bücher.example.com", "xn--bcher-kva.example.com"],
  ...["localhost", "metadata.google.internal", "intranet", "printer.local", "app.workers.dev"],
  ...["8.8.8.8", "127.0.0.1", "169.254.169.254", "10.0.0.1", "[::1]", "[2606:2800:220:1::10]", "[::ffff:10.0.0.1]"],
  ...["2130706433", "0x7f000001", "017700000001", "127.1", "010.8.8.8", "1.2.3.4.5", "0x7f.1", "8.8.8.08"],
  ...["faß.de", "straße.example.com", "ﬁ.example.com", "ｅｘａｍｐｌｅ.com", "१२७.0.0.1", "①②⑦.0.0.1"],
];

const SCHEMES = ["https://", "http://", "HTTPS://", "hTTp://", "https:/", "http:", "https:///", "//", "ftp://", "http:\\\\"];
const AFTER_HOST = ["", "/", ":80/", ":443/", ":0443/", ":/", ":8080/", ":65536/", "./", "../", "?", "#", "\\", "%00/", ";/"];
const USER_INFO = ["", "", "", "", "u@", "u:p@", "@", "example.com@", "example.com:80@", "%40", "example.com\\@"];

/** Where a host can be cut and sewn: ASCII that is not a letter, and what vanishes, folds or turns. */
const STITCHES = [
  ..."\t\n\r !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~\u0000\u001f\u007f",
  ..."\u00ad\u034f\u061c\u115f\u17b4\u180e\u200b\u200c\u200d\u200e\u2028\u202e\u2060\u2064\u3164\ufe0f\ufeff\uffa0\ufffd",
  ..."。．｡․‥…／＼：？＃＠％［］﹕﹖﹫⁄∕℀℁℅ªº²³¹①⑴⒈ⅠⅷſıßςİKÅﬀﬁﷺ℡㏕㎏㍐",
  ..."\u0300\u0307\u0308\u0338\u0660\u06f0\u0966\uff10\u{1d7d8}\u{1d400}\u{1f100}\u{e0061}\u{e0100}",
  ...["%2e", "%2f", "%40", "%5c", "%00", "%E3%80%82", "%ef%bc%8e", "xn--", ".."],
];

/** `count` spellings, the same ones every time. */
export function* spellings(count) {
  const random = generator(0x6e657472);
  const any = (list) => list[random() % list.length];
  for (let n = 0; n < count; n += 1) {
    const host = bent([...any(HOSTS)], any, random).join("");
    const url = random() % 3 === 0
      ? `${any(SCHEMES)}${any(USER_INFO)}${host}${any(AFTER_HOST)}`
      : `https://${host}${random() % 2 === 0 ? "/" : any(AFTER_HOST)}`;
    yield random() % 8 === 0 ? { url, base: "https://www.example.com/a/b?c" } : { url };
  }
}

/** The host with up to three letters changed, put in or taken out. */
function bent(letters, any, random) {
  for (let times = random() % 4; times > 0; times -= 1) {
    const at = random() % (letters.length + 1);
    switch (random() % 6) {
      case 0:
      case 1:
        letters.splice(at, 0, any(STITCHES));
        break;
      case 2:
        letters.splice(at, 1, any(STITCHES));
        break;
      case 3:
        letters.splice(at, 1);
        break;
      case 4:
        letters.splice(at, 1, encodeURIComponent(letters[at] ?? "."), "");
        break;
      default:
        letters.splice(at, 1, wide(letters[at] ?? "."));
    }
  }
  return letters;
}

/** The full-width form of a letter (U+FF01 to U+FF5E), which IDNA folds back. */
function wide(letter) {
  const code = letter.codePointAt(0);
  return code > 0x20 && code < 0x7f ? String.fromCodePoint(code + 0xfee0) : letter;
}

/** Every character that a host may be made of, each in a label of its own. */
export function* characters() {
  for (let code = 0x80; code < 0x32000; code += 1) {
    if (code >= 0xd800 && code < 0xe000) continue;
    yield { url: `https://a${String.fromCodePoint(code)}b.com/` };
  }
}

/** xorshift32: numbers that look random and are the same on every machine. */
function generator(state) {
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
