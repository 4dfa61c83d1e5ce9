// Made by npm run generate from pipelines/tgo/core.ts. Do not edit.
var __create = Object.create;
var __defProp = Object.defineProperty;
var __getOwnPropDesc = Object.getOwnPropertyDescriptor;
var __getOwnPropNames = Object.getOwnPropertyNames;
var __getProtoOf = Object.getPrototypeOf;
var __hasOwnProp = Object.prototype.hasOwnProperty;
var __commonJS = (cb, mod) => function __require() {
  try {
    return mod || (0, cb[__getOwnPropNames(cb)[0]])((mod = { exports: {} }).exports, mod), mod.exports;
  } catch (e) {
    throw mod = 0, e;
  }
};
var __export = (target, all) => {
  for (var name4 in all)
    __defProp(target, name4, { get: all[name4], enumerable: true });
};
var __copyProps = (to, from, except, desc2) => {
  if (from && typeof from === "object" || typeof from === "function") {
    for (let key2 of __getOwnPropNames(from))
      if (!__hasOwnProp.call(to, key2) && key2 !== except)
        __defProp(to, key2, { get: () => from[key2], enumerable: !(desc2 = __getOwnPropDesc(from, key2)) || desc2.enumerable });
  }
  return to;
};
var __toESM = (mod, isNodeMode, target) => (target = mod != null ? __create(__getProtoOf(mod)) : {}, __copyProps(
  // If the importer is in node compatibility mode or this is not an ESM
  // file that has been converted to a CommonJS file using a Babel-
  // compatible transform (i.e. "__esModule" has not been set), then set
  // "default" to the CommonJS "module.exports" for node compatibility.
  isNodeMode || !mod || !mod.__esModule ? __defProp(target, "default", { value: mod, enumerable: true }) : target,
  mod
));

// node_modules/semver/internal/debug.js
var require_debug = __commonJS({
  "node_modules/semver/internal/debug.js"(exports, module) {
    "use strict";
    var debug = typeof process === "object" && process.env && process.env.NODE_DEBUG && /\bsemver\b/i.test(process.env.NODE_DEBUG) ? (...args) => console.error("SEMVER", ...args) : () => {
    };
    module.exports = debug;
  }
});

// node_modules/semver/internal/constants.js
var require_constants = __commonJS({
  "node_modules/semver/internal/constants.js"(exports, module) {
    "use strict";
    var SEMVER_SPEC_VERSION = "2.0.0";
    var MAX_LENGTH = 256;
    var MAX_SAFE_INTEGER = Number.MAX_SAFE_INTEGER || /* istanbul ignore next */
    9007199254740991;
    var MAX_SAFE_COMPONENT_LENGTH = 16;
    var MAX_SAFE_BUILD_LENGTH = MAX_LENGTH - 6;
    var WHITESPACE_CHARACTERS = [
      "	",
      "\n",
      "\v",
      "\f",
      "\r",
      " ",
      "\xA0",
      "\u1680",
      "\u2000",
      "\u2001",
      "\u2002",
      "\u2003",
      "\u2004",
      "\u2005",
      "\u2006",
      "\u2007",
      "\u2008",
      "\u2009",
      "\u200A",
      "\u2028",
      "\u2029",
      "\u202F",
      "\u205F",
      "\u3000",
      "\uFEFF"
    ];
    var RELEASE_TYPES = [
      "major",
      "premajor",
      "minor",
      "preminor",
      "patch",
      "prepatch",
      "prerelease"
    ];
    module.exports = {
      MAX_LENGTH,
      MAX_SAFE_COMPONENT_LENGTH,
      MAX_SAFE_BUILD_LENGTH,
      MAX_SAFE_INTEGER,
      WHITESPACE_CHARACTERS,
      RELEASE_TYPES,
      SEMVER_SPEC_VERSION,
      FLAG_INCLUDE_PRERELEASE: 1,
      FLAG_LOOSE: 2
    };
  }
});

// node_modules/semver/internal/re.js
var require_re = __commonJS({
  "node_modules/semver/internal/re.js"(exports, module) {
    "use strict";
    var {
      MAX_SAFE_COMPONENT_LENGTH,
      MAX_SAFE_BUILD_LENGTH,
      MAX_LENGTH
    } = require_constants();
    var debug = require_debug();
    exports = module.exports = {};
    var re = exports.re = [];
    var safeRe = exports.safeRe = [];
    var src = exports.src = [];
    var safeSrc = exports.safeSrc = [];
    var t = exports.t = {};
    var R = 0;
    var LETTERDASHNUMBER = "[a-zA-Z0-9-]";
    var safeRegexReplacements = [
      ["\\s", 1],
      ["\\d", MAX_LENGTH],
      [LETTERDASHNUMBER, MAX_SAFE_BUILD_LENGTH]
    ];
    var makeSafeRegex = (value) => {
      for (const [token, max] of safeRegexReplacements) {
        value = value.split(`${token}*`).join(`${token}{0,${max}}`).split(`${token}+`).join(`${token}{1,${max}}`);
      }
      return value;
    };
    var createToken = (name4, value, isGlobal) => {
      const safe = makeSafeRegex(value);
      const index = R++;
      debug(name4, index, value);
      t[name4] = index;
      src[index] = value;
      safeSrc[index] = safe;
      re[index] = new RegExp(value, isGlobal ? "g" : void 0);
      safeRe[index] = new RegExp(safe, isGlobal ? "g" : void 0);
    };
    createToken("NUMERICIDENTIFIER", "0|[1-9]\\d*");
    createToken("NUMERICIDENTIFIERLOOSE", "\\d+");
    createToken("NONNUMERICIDENTIFIER", `\\d*[a-zA-Z-]${LETTERDASHNUMBER}*`);
    createToken("MAINVERSION", `(${src[t.NUMERICIDENTIFIER]})\\.(${src[t.NUMERICIDENTIFIER]})\\.(${src[t.NUMERICIDENTIFIER]})`);
    createToken("MAINVERSIONLOOSE", `(${src[t.NUMERICIDENTIFIERLOOSE]})\\.(${src[t.NUMERICIDENTIFIERLOOSE]})\\.(${src[t.NUMERICIDENTIFIERLOOSE]})`);
    createToken("PRERELEASEIDENTIFIER", `(?:${src[t.NONNUMERICIDENTIFIER]}|${src[t.NUMERICIDENTIFIER]})`);
    createToken("PRERELEASEIDENTIFIERLOOSE", `(?:${src[t.NONNUMERICIDENTIFIER]}|${src[t.NUMERICIDENTIFIERLOOSE]})`);
    createToken("PRERELEASE", `(?:-(${src[t.PRERELEASEIDENTIFIER]}(?:\\.${src[t.PRERELEASEIDENTIFIER]})*))`);
    createToken("PRERELEASELOOSE", `(?:-?(${src[t.PRERELEASEIDENTIFIERLOOSE]}(?:\\.${src[t.PRERELEASEIDENTIFIERLOOSE]})*))`);
    createToken("BUILDIDENTIFIER", `${LETTERDASHNUMBER}+`);
    createToken("BUILD", `(?:\\+(${src[t.BUILDIDENTIFIER]}(?:\\.${src[t.BUILDIDENTIFIER]})*))`);
    createToken("FULLPLAIN", `v?${src[t.MAINVERSION]}${src[t.PRERELEASE]}?${src[t.BUILD]}?`);
    createToken("FULL", `^${src[t.FULLPLAIN]}$`);
    createToken("LOOSEPLAIN", `[v=\\s]*${src[t.MAINVERSIONLOOSE]}${src[t.PRERELEASELOOSE]}?${src[t.BUILD]}?`);
    createToken("LOOSE", `^${src[t.LOOSEPLAIN]}$`);
    createToken("GTLT", "((?:<|>)?=?)");
    createToken("XRANGEIDENTIFIERLOOSE", `${src[t.NUMERICIDENTIFIERLOOSE]}|x|X|\\*`);
    createToken("XRANGEIDENTIFIER", `${src[t.NUMERICIDENTIFIER]}|x|X|\\*`);
    createToken("XRANGEPLAIN", `[v=\\s]*(${src[t.XRANGEIDENTIFIER]})(?:\\.(${src[t.XRANGEIDENTIFIER]})(?:\\.(${src[t.XRANGEIDENTIFIER]})(?:${src[t.PRERELEASE]})?${src[t.BUILD]}?)?)?`);
    createToken("XRANGEPLAINLOOSE", `[v=\\s]*(${src[t.XRANGEIDENTIFIERLOOSE]})(?:\\.(${src[t.XRANGEIDENTIFIERLOOSE]})(?:\\.(${src[t.XRANGEIDENTIFIERLOOSE]})(?:${src[t.PRERELEASELOOSE]})?${src[t.BUILD]}?)?)?`);
    createToken("XRANGE", `^${src[t.GTLT]}\\s*${src[t.XRANGEPLAIN]}$`);
    createToken("XRANGELOOSE", `^${src[t.GTLT]}\\s*${src[t.XRANGEPLAINLOOSE]}$`);
    createToken("COERCEPLAIN", `${"(^|[^\\d])(\\d{1,"}${MAX_SAFE_COMPONENT_LENGTH}})(?:\\.(\\d{1,${MAX_SAFE_COMPONENT_LENGTH}}))?(?:\\.(\\d{1,${MAX_SAFE_COMPONENT_LENGTH}}))?`);
    createToken("COERCE", `${src[t.COERCEPLAIN]}(?:$|[^\\d])`);
    createToken("COERCEFULL", src[t.COERCEPLAIN] + `(?:${src[t.PRERELEASE]})?(?:${src[t.BUILD]})?(?:$|[^\\d])`);
    createToken("COERCERTL", src[t.COERCE], true);
    createToken("COERCERTLFULL", src[t.COERCEFULL], true);
    createToken("LONETILDE", "(?:~>?)");
    createToken("TILDETRIM", `(\\s*)${src[t.LONETILDE]}\\s+`, true);
    exports.tildeTrimReplace = "$1~";
    createToken("TILDE", `^${src[t.LONETILDE]}${src[t.XRANGEPLAIN]}$`);
    createToken("TILDELOOSE", `^${src[t.LONETILDE]}${src[t.XRANGEPLAINLOOSE]}$`);
    createToken("LONECARET", "(?:\\^)");
    createToken("CARETTRIM", `(\\s*)${src[t.LONECARET]}\\s+`, true);
    exports.caretTrimReplace = "$1^";
    createToken("CARET", `^${src[t.LONECARET]}${src[t.XRANGEPLAIN]}$`);
    createToken("CARETLOOSE", `^${src[t.LONECARET]}${src[t.XRANGEPLAINLOOSE]}$`);
    createToken("COMPARATORLOOSE", `^${src[t.GTLT]}\\s*(${src[t.LOOSEPLAIN]})$|^$`);
    createToken("COMPARATOR", `^${src[t.GTLT]}\\s*(${src[t.FULLPLAIN]})$|^$`);
    createToken("COMPARATORTRIM", `(\\s*)${src[t.GTLT]}\\s*(${src[t.LOOSEPLAIN]}|${src[t.XRANGEPLAIN]})`, true);
    exports.comparatorTrimReplace = "$1$2$3";
    createToken("HYPHENRANGE", `^\\s*(${src[t.XRANGEPLAIN]})\\s+-\\s+(${src[t.XRANGEPLAIN]})\\s*$`);
    createToken("HYPHENRANGELOOSE", `^\\s*(${src[t.XRANGEPLAINLOOSE]})\\s+-\\s+(${src[t.XRANGEPLAINLOOSE]})\\s*$`);
    createToken("STAR", "(<|>)?=?\\s*\\*");
    createToken("GTE0", "^\\s*>=\\s*0\\.0\\.0\\s*$");
    createToken("GTE0PRE", "^\\s*>=\\s*0\\.0\\.0-0\\s*$");
  }
});

// node_modules/semver/internal/parse-options.js
var require_parse_options = __commonJS({
  "node_modules/semver/internal/parse-options.js"(exports, module) {
    "use strict";
    var looseOption = Object.freeze({ loose: true });
    var emptyOpts = Object.freeze({});
    var parseOptions = (options) => {
      if (!options) {
        return emptyOpts;
      }
      if (typeof options !== "object") {
        return looseOption;
      }
      return options;
    };
    module.exports = parseOptions;
  }
});

// node_modules/semver/internal/identifiers.js
var require_identifiers = __commonJS({
  "node_modules/semver/internal/identifiers.js"(exports, module) {
    "use strict";
    var numeric = /^[0-9]+$/;
    var compareIdentifiers = (a, b) => {
      if (typeof a === "number" && typeof b === "number") {
        return a === b ? 0 : a < b ? -1 : 1;
      }
      const anum = numeric.test(a);
      const bnum = numeric.test(b);
      if (anum && bnum) {
        a = +a;
        b = +b;
      }
      return a === b ? 0 : anum && !bnum ? -1 : bnum && !anum ? 1 : a < b ? -1 : 1;
    };
    var rcompareIdentifiers = (a, b) => compareIdentifiers(b, a);
    module.exports = {
      compareIdentifiers,
      rcompareIdentifiers
    };
  }
});

// node_modules/semver/classes/semver.js
var require_semver = __commonJS({
  "node_modules/semver/classes/semver.js"(exports, module) {
    "use strict";
    var debug = require_debug();
    var { MAX_LENGTH, MAX_SAFE_INTEGER } = require_constants();
    var { safeRe: re, t } = require_re();
    var parseOptions = require_parse_options();
    var { compareIdentifiers } = require_identifiers();
    var isPrereleaseIdentifier = (prerelease, identifier) => {
      const identifiers = identifier.split(".");
      if (identifiers.length > prerelease.length) {
        return false;
      }
      for (let i = 0; i < identifiers.length; i++) {
        if (compareIdentifiers(prerelease[i], identifiers[i]) !== 0) {
          return false;
        }
      }
      return true;
    };
    var SemVer2 = class _SemVer {
      constructor(version2, options) {
        options = parseOptions(options);
        if (version2 instanceof _SemVer) {
          if (version2.loose === !!options.loose && version2.includePrerelease === !!options.includePrerelease) {
            return version2;
          } else {
            version2 = version2.version;
          }
        } else if (typeof version2 !== "string") {
          throw new TypeError(`Invalid version. Must be a string. Got type "${typeof version2}".`);
        }
        if (version2.length > MAX_LENGTH) {
          throw new TypeError(
            `version is longer than ${MAX_LENGTH} characters`
          );
        }
        debug("SemVer", version2, options);
        this.options = options;
        this.loose = !!options.loose;
        this.includePrerelease = !!options.includePrerelease;
        const m = version2.trim().match(options.loose ? re[t.LOOSE] : re[t.FULL]);
        if (!m) {
          throw new TypeError(`Invalid Version: ${version2}`);
        }
        this.raw = version2;
        this.major = +m[1];
        this.minor = +m[2];
        this.patch = +m[3];
        if (this.major > MAX_SAFE_INTEGER || this.major < 0) {
          throw new TypeError("Invalid major version");
        }
        if (this.minor > MAX_SAFE_INTEGER || this.minor < 0) {
          throw new TypeError("Invalid minor version");
        }
        if (this.patch > MAX_SAFE_INTEGER || this.patch < 0) {
          throw new TypeError("Invalid patch version");
        }
        if (!m[4]) {
          this.prerelease = [];
        } else {
          this.prerelease = m[4].split(".").map((id) => {
            if (/^[0-9]+$/.test(id)) {
              const num = +id;
              if (num >= 0 && num < MAX_SAFE_INTEGER) {
                return num;
              }
            }
            return id;
          });
        }
        this.build = m[5] ? m[5].split(".") : [];
        this.format();
      }
      format() {
        this.version = `${this.major}.${this.minor}.${this.patch}`;
        if (this.prerelease.length) {
          this.version += `-${this.prerelease.join(".")}`;
        }
        return this.version;
      }
      toString() {
        return this.version;
      }
      compare(other) {
        debug("SemVer.compare", this.version, this.options, other);
        if (!(other instanceof _SemVer)) {
          if (typeof other === "string" && other === this.version) {
            return 0;
          }
          other = new _SemVer(other, this.options);
        }
        if (other.version === this.version) {
          return 0;
        }
        return this.compareMain(other) || this.comparePre(other);
      }
      compareMain(other) {
        if (!(other instanceof _SemVer)) {
          other = new _SemVer(other, this.options);
        }
        if (this.major < other.major) {
          return -1;
        }
        if (this.major > other.major) {
          return 1;
        }
        if (this.minor < other.minor) {
          return -1;
        }
        if (this.minor > other.minor) {
          return 1;
        }
        if (this.patch < other.patch) {
          return -1;
        }
        if (this.patch > other.patch) {
          return 1;
        }
        return 0;
      }
      comparePre(other) {
        if (!(other instanceof _SemVer)) {
          other = new _SemVer(other, this.options);
        }
        if (this.prerelease.length && !other.prerelease.length) {
          return -1;
        } else if (!this.prerelease.length && other.prerelease.length) {
          return 1;
        } else if (!this.prerelease.length && !other.prerelease.length) {
          return 0;
        }
        let i = 0;
        do {
          const a = this.prerelease[i];
          const b = other.prerelease[i];
          debug("prerelease compare", i, a, b);
          if (a === void 0 && b === void 0) {
            return 0;
          } else if (b === void 0) {
            return 1;
          } else if (a === void 0) {
            return -1;
          } else if (a === b) {
            continue;
          } else {
            return compareIdentifiers(a, b);
          }
        } while (++i);
      }
      compareBuild(other) {
        if (!(other instanceof _SemVer)) {
          other = new _SemVer(other, this.options);
        }
        let i = 0;
        do {
          const a = this.build[i];
          const b = other.build[i];
          debug("build compare", i, a, b);
          if (a === void 0 && b === void 0) {
            return 0;
          } else if (b === void 0) {
            return 1;
          } else if (a === void 0) {
            return -1;
          } else if (a === b) {
            continue;
          } else {
            return compareIdentifiers(a, b);
          }
        } while (++i);
      }
      // preminor will bump the version up to the next minor release, and immediately
      // down to pre-release. premajor and prepatch work the same way.
      inc(release, identifier, identifierBase) {
        if (release.startsWith("pre")) {
          if (!identifier && identifierBase === false) {
            throw new Error("invalid increment argument: identifier is empty");
          }
          if (identifier) {
            const match = `-${identifier}`.match(this.options.loose ? re[t.PRERELEASELOOSE] : re[t.PRERELEASE]);
            if (!match || match[1] !== identifier) {
              throw new Error(`invalid identifier: ${identifier}`);
            }
          }
        }
        switch (release) {
          case "premajor":
            this.prerelease.length = 0;
            this.patch = 0;
            this.minor = 0;
            this.major++;
            this.inc("pre", identifier, identifierBase);
            break;
          case "preminor":
            this.prerelease.length = 0;
            this.patch = 0;
            this.minor++;
            this.inc("pre", identifier, identifierBase);
            break;
          case "prepatch":
            this.prerelease.length = 0;
            this.inc("patch", identifier, identifierBase);
            this.inc("pre", identifier, identifierBase);
            break;
          // If the input is a non-prerelease version, this acts the same as
          // prepatch.
          case "prerelease":
            if (this.prerelease.length === 0) {
              this.inc("patch", identifier, identifierBase);
            }
            this.inc("pre", identifier, identifierBase);
            break;
          case "release":
            if (this.prerelease.length === 0) {
              throw new Error(`version ${this.raw} is not a prerelease`);
            }
            this.prerelease.length = 0;
            break;
          case "major":
            if (this.minor !== 0 || this.patch !== 0 || this.prerelease.length === 0) {
              this.major++;
            }
            this.minor = 0;
            this.patch = 0;
            this.prerelease = [];
            break;
          case "minor":
            if (this.patch !== 0 || this.prerelease.length === 0) {
              this.minor++;
            }
            this.patch = 0;
            this.prerelease = [];
            break;
          case "patch":
            if (this.prerelease.length === 0) {
              this.patch++;
            }
            this.prerelease = [];
            break;
          // This probably shouldn't be used publicly.
          // 1.0.0 'pre' would become 1.0.0-0 which is the wrong direction.
          case "pre": {
            const base = Number(identifierBase) ? 1 : 0;
            if (this.prerelease.length === 0) {
              this.prerelease = [base];
            } else {
              let i = this.prerelease.length;
              while (--i >= 0) {
                if (typeof this.prerelease[i] === "number") {
                  this.prerelease[i]++;
                  i = -2;
                }
              }
              if (i === -1) {
                if (identifier === this.prerelease.join(".") && identifierBase === false) {
                  throw new Error("invalid increment argument: identifier already exists");
                }
                this.prerelease.push(base);
              }
            }
            if (identifier) {
              let prerelease = [identifier, base];
              if (identifierBase === false) {
                prerelease = [identifier];
              }
              if (isPrereleaseIdentifier(this.prerelease, identifier)) {
                const prereleaseBase = this.prerelease[identifier.split(".").length];
                if (isNaN(prereleaseBase)) {
                  this.prerelease = prerelease;
                }
              } else {
                this.prerelease = prerelease;
              }
            }
            break;
          }
          default:
            throw new Error(`invalid increment argument: ${release}`);
        }
        this.raw = this.format();
        if (this.build.length) {
          this.raw += `+${this.build.join(".")}`;
        }
        return this;
      }
    };
    module.exports = SemVer2;
  }
});

// node_modules/fastest-levenshtein/mod.js
var require_mod = __commonJS({
  "node_modules/fastest-levenshtein/mod.js"(exports) {
    "use strict";
    exports.__esModule = true;
    exports.distance = exports.closest = void 0;
    var peq = new Uint32Array(65536);
    var myers_32 = function(a, b) {
      var n = a.length;
      var m = b.length;
      var lst = 1 << n - 1;
      var pv = -1;
      var mv = 0;
      var sc = n;
      var i = n;
      while (i--) {
        peq[a.charCodeAt(i)] |= 1 << i;
      }
      for (i = 0; i < m; i++) {
        var eq = peq[b.charCodeAt(i)];
        var xv = eq | mv;
        eq |= (eq & pv) + pv ^ pv;
        mv |= ~(eq | pv);
        pv &= eq;
        if (mv & lst) {
          sc++;
        }
        if (pv & lst) {
          sc--;
        }
        mv = mv << 1 | 1;
        pv = pv << 1 | ~(xv | mv);
        mv &= xv;
      }
      i = n;
      while (i--) {
        peq[a.charCodeAt(i)] = 0;
      }
      return sc;
    };
    var myers_x = function(b, a) {
      var n = a.length;
      var m = b.length;
      var mhc = [];
      var phc = [];
      var hsize = Math.ceil(n / 32);
      var vsize = Math.ceil(m / 32);
      for (var i = 0; i < hsize; i++) {
        phc[i] = -1;
        mhc[i] = 0;
      }
      var j = 0;
      for (; j < vsize - 1; j++) {
        var mv_1 = 0;
        var pv_1 = -1;
        var start_1 = j * 32;
        var vlen_1 = Math.min(32, m) + start_1;
        for (var k = start_1; k < vlen_1; k++) {
          peq[b.charCodeAt(k)] |= 1 << k;
        }
        for (var i = 0; i < n; i++) {
          var eq = peq[a.charCodeAt(i)];
          var pb = phc[i / 32 | 0] >>> i & 1;
          var mb = mhc[i / 32 | 0] >>> i & 1;
          var xv = eq | mv_1;
          var xh = ((eq | mb) & pv_1) + pv_1 ^ pv_1 | eq | mb;
          var ph = mv_1 | ~(xh | pv_1);
          var mh = pv_1 & xh;
          if (ph >>> 31 ^ pb) {
            phc[i / 32 | 0] ^= 1 << i;
          }
          if (mh >>> 31 ^ mb) {
            mhc[i / 32 | 0] ^= 1 << i;
          }
          ph = ph << 1 | pb;
          mh = mh << 1 | mb;
          pv_1 = mh | ~(xv | ph);
          mv_1 = ph & xv;
        }
        for (var k = start_1; k < vlen_1; k++) {
          peq[b.charCodeAt(k)] = 0;
        }
      }
      var mv = 0;
      var pv = -1;
      var start = j * 32;
      var vlen = Math.min(32, m - start) + start;
      for (var k = start; k < vlen; k++) {
        peq[b.charCodeAt(k)] |= 1 << k;
      }
      var score = m;
      for (var i = 0; i < n; i++) {
        var eq = peq[a.charCodeAt(i)];
        var pb = phc[i / 32 | 0] >>> i & 1;
        var mb = mhc[i / 32 | 0] >>> i & 1;
        var xv = eq | mv;
        var xh = ((eq | mb) & pv) + pv ^ pv | eq | mb;
        var ph = mv | ~(xh | pv);
        var mh = pv & xh;
        score += ph >>> m - 1 & 1;
        score -= mh >>> m - 1 & 1;
        if (ph >>> 31 ^ pb) {
          phc[i / 32 | 0] ^= 1 << i;
        }
        if (mh >>> 31 ^ mb) {
          mhc[i / 32 | 0] ^= 1 << i;
        }
        ph = ph << 1 | pb;
        mh = mh << 1 | mb;
        pv = mh | ~(xv | ph);
        mv = ph & xv;
      }
      for (var k = start; k < vlen; k++) {
        peq[b.charCodeAt(k)] = 0;
      }
      return score;
    };
    var distance3 = function(a, b) {
      if (a.length < b.length) {
        var tmp = b;
        b = a;
        a = tmp;
      }
      if (b.length === 0) {
        return a.length;
      }
      if (a.length <= 32) {
        return myers_32(a, b);
      }
      return myers_x(a, b);
    };
    exports.distance = distance3;
    var closest2 = function(str, arr) {
      var min_distance = Infinity;
      var min_index = 0;
      for (var i = 0; i < arr.length; i++) {
        var dist = distance3(str, arr[i]);
        if (dist < min_distance) {
          min_distance = dist;
          min_index = i;
        }
      }
      return arr[min_index];
    };
    exports.closest = closest2;
  }
});

// node_modules/semver/internal/lrucache.js
var require_lrucache = __commonJS({
  "node_modules/semver/internal/lrucache.js"(exports, module) {
    "use strict";
    var LRUCache = class {
      constructor() {
        this.max = 1e3;
        this.map = /* @__PURE__ */ new Map();
      }
      get(key2) {
        const value = this.map.get(key2);
        if (value === void 0) {
          return void 0;
        } else {
          this.map.delete(key2);
          this.map.set(key2, value);
          return value;
        }
      }
      delete(key2) {
        return this.map.delete(key2);
      }
      set(key2, value) {
        const deleted = this.delete(key2);
        if (!deleted && value !== void 0) {
          if (this.map.size >= this.max) {
            const firstKey = this.map.keys().next().value;
            this.delete(firstKey);
          }
          this.map.set(key2, value);
        }
        return this;
      }
    };
    module.exports = LRUCache;
  }
});

// node_modules/semver/functions/compare.js
var require_compare = __commonJS({
  "node_modules/semver/functions/compare.js"(exports, module) {
    "use strict";
    var SemVer2 = require_semver();
    var compare = (a, b, loose) => new SemVer2(a, loose).compare(new SemVer2(b, loose));
    module.exports = compare;
  }
});

// node_modules/semver/functions/eq.js
var require_eq = __commonJS({
  "node_modules/semver/functions/eq.js"(exports, module) {
    "use strict";
    var compare = require_compare();
    var eq = (a, b, loose) => compare(a, b, loose) === 0;
    module.exports = eq;
  }
});

// node_modules/semver/functions/neq.js
var require_neq = __commonJS({
  "node_modules/semver/functions/neq.js"(exports, module) {
    "use strict";
    var compare = require_compare();
    var neq = (a, b, loose) => compare(a, b, loose) !== 0;
    module.exports = neq;
  }
});

// node_modules/semver/functions/gt.js
var require_gt = __commonJS({
  "node_modules/semver/functions/gt.js"(exports, module) {
    "use strict";
    var compare = require_compare();
    var gt = (a, b, loose) => compare(a, b, loose) > 0;
    module.exports = gt;
  }
});

// node_modules/semver/functions/gte.js
var require_gte = __commonJS({
  "node_modules/semver/functions/gte.js"(exports, module) {
    "use strict";
    var compare = require_compare();
    var gte = (a, b, loose) => compare(a, b, loose) >= 0;
    module.exports = gte;
  }
});

// node_modules/semver/functions/lt.js
var require_lt = __commonJS({
  "node_modules/semver/functions/lt.js"(exports, module) {
    "use strict";
    var compare = require_compare();
    var lt = (a, b, loose) => compare(a, b, loose) < 0;
    module.exports = lt;
  }
});

// node_modules/semver/functions/lte.js
var require_lte = __commonJS({
  "node_modules/semver/functions/lte.js"(exports, module) {
    "use strict";
    var compare = require_compare();
    var lte = (a, b, loose) => compare(a, b, loose) <= 0;
    module.exports = lte;
  }
});

// node_modules/semver/functions/cmp.js
var require_cmp = __commonJS({
  "node_modules/semver/functions/cmp.js"(exports, module) {
    "use strict";
    var eq = require_eq();
    var neq = require_neq();
    var gt = require_gt();
    var gte = require_gte();
    var lt = require_lt();
    var lte = require_lte();
    var cmp = (a, op, b, loose) => {
      switch (op) {
        case "===":
          if (typeof a === "object") {
            a = a.version;
          }
          if (typeof b === "object") {
            b = b.version;
          }
          return a === b;
        case "!==":
          if (typeof a === "object") {
            a = a.version;
          }
          if (typeof b === "object") {
            b = b.version;
          }
          return a !== b;
        case "":
        case "=":
        case "==":
          return eq(a, b, loose);
        case "!=":
          return neq(a, b, loose);
        case ">":
          return gt(a, b, loose);
        case ">=":
          return gte(a, b, loose);
        case "<":
          return lt(a, b, loose);
        case "<=":
          return lte(a, b, loose);
        default:
          throw new TypeError(`Invalid operator: ${op}`);
      }
    };
    module.exports = cmp;
  }
});

// node_modules/semver/classes/comparator.js
var require_comparator = __commonJS({
  "node_modules/semver/classes/comparator.js"(exports, module) {
    "use strict";
    var ANY = /* @__PURE__ */ Symbol("SemVer ANY");
    var Comparator = class _Comparator {
      static get ANY() {
        return ANY;
      }
      constructor(comp, options) {
        options = parseOptions(options);
        if (comp instanceof _Comparator) {
          if (comp.loose === !!options.loose) {
            return comp;
          } else {
            comp = comp.value;
          }
        }
        comp = comp.trim().split(/\s+/).join(" ");
        debug("comparator", comp, options);
        this.options = options;
        this.loose = !!options.loose;
        this.parse(comp);
        if (this.semver === ANY) {
          this.value = "";
        } else {
          this.value = this.operator + this.semver.version;
        }
        debug("comp", this);
      }
      parse(comp) {
        const r = this.options.loose ? re[t.COMPARATORLOOSE] : re[t.COMPARATOR];
        const m = comp.match(r);
        if (!m) {
          throw new TypeError(`Invalid comparator: ${comp}`);
        }
        this.operator = m[1] !== void 0 ? m[1] : "";
        if (this.operator === "=") {
          this.operator = "";
        }
        if (!m[2]) {
          this.semver = ANY;
        } else {
          this.semver = new SemVer2(m[2], this.options.loose);
        }
      }
      toString() {
        return this.value;
      }
      test(version2) {
        debug("Comparator.test", version2, this.options.loose);
        if (this.semver === ANY || version2 === ANY) {
          return true;
        }
        if (typeof version2 === "string") {
          try {
            version2 = new SemVer2(version2, this.options);
          } catch (er) {
            return false;
          }
        }
        return cmp(version2, this.operator, this.semver, this.options);
      }
      intersects(comp, options) {
        if (!(comp instanceof _Comparator)) {
          throw new TypeError("a Comparator is required");
        }
        if (this.operator === "") {
          if (this.value === "") {
            return true;
          }
          return new Range(comp.value, options).test(this.value);
        } else if (comp.operator === "") {
          if (comp.value === "") {
            return true;
          }
          return new Range(this.value, options).test(comp.semver);
        }
        options = parseOptions(options);
        if (options.includePrerelease && (this.value === "<0.0.0-0" || comp.value === "<0.0.0-0")) {
          return false;
        }
        if (!options.includePrerelease && (this.value.startsWith("<0.0.0") || comp.value.startsWith("<0.0.0"))) {
          return false;
        }
        if (this.operator.startsWith(">") && comp.operator.startsWith(">")) {
          return true;
        }
        if (this.operator.startsWith("<") && comp.operator.startsWith("<")) {
          return true;
        }
        if (this.semver.version === comp.semver.version && this.operator.includes("=") && comp.operator.includes("=")) {
          return true;
        }
        if (cmp(this.semver, "<", comp.semver, options) && this.operator.startsWith(">") && comp.operator.startsWith("<")) {
          return true;
        }
        if (cmp(this.semver, ">", comp.semver, options) && this.operator.startsWith("<") && comp.operator.startsWith(">")) {
          return true;
        }
        return false;
      }
    };
    module.exports = Comparator;
    var parseOptions = require_parse_options();
    var { safeRe: re, t } = require_re();
    var cmp = require_cmp();
    var debug = require_debug();
    var SemVer2 = require_semver();
    var Range = require_range();
  }
});

// node_modules/semver/internal/trim-comparator-whitespace.js
var require_trim_comparator_whitespace = __commonJS({
  "node_modules/semver/internal/trim-comparator-whitespace.js"(exports, module) {
    "use strict";
    var {
      MAX_LENGTH,
      MAX_SAFE_BUILD_LENGTH,
      WHITESPACE_CHARACTERS
    } = require_constants();
    var whitespace = new Uint8Array(65536);
    for (const char of WHITESPACE_CHARACTERS) {
      whitespace[char.charCodeAt(0)] = 1;
    }
    var isWhitespace = (char) => char !== void 0 && whitespace[char.charCodeAt(0)] === 1;
    var isVersionPrefix = (char) => char === "v" || char === "=" || isWhitespace(char);
    var isDigit = (char) => char !== void 0 && char >= "0" && char <= "9";
    var isLetter = (char) => char !== void 0 && (char >= "a" && char <= "z" || char >= "A" && char <= "Z");
    var isIdentifierCharacter = (char) => isDigit(char) || isLetter(char) || char === "-";
    var isVersionStart = (char) => isDigit(char) || char === "x" || char === "X" || char === "*";
    var findDigitsEndIndex = (range, start, limit, digitRuns) => {
      if (!isDigit(range[start])) {
        return start;
      }
      if (start >= digitRuns.start && start < digitRuns.end) {
        return Math.min(start + limit, digitRuns.end);
      }
      if (start >= digitRuns.previousStart && start < digitRuns.previousEnd) {
        return Math.min(start + limit, digitRuns.previousEnd);
      }
      let end = start + 1;
      while (isDigit(range[end])) {
        end++;
      }
      digitRuns.previousStart = digitRuns.start;
      digitRuns.previousEnd = digitRuns.end;
      digitRuns.start = start;
      digitRuns.end = end;
      return Math.min(start + limit, end);
    };
    var findVersionNumberEndIndex = (range, start, loose, digitRuns) => {
      if (!loose && range[start] === "0") {
        return start + 1;
      }
      return findDigitsEndIndex(range, start, loose ? MAX_LENGTH : MAX_LENGTH + 1, digitRuns);
    };
    var findPrereleaseIdentifierEndIndex = (range, start, loose, digitRuns) => {
      const digitsEnd = findDigitsEndIndex(range, start, MAX_LENGTH, digitRuns);
      if (isLetter(range[digitsEnd]) || range[digitsEnd] === "-") {
        let end = digitsEnd + 1;
        const limit = end + MAX_SAFE_BUILD_LENGTH;
        while (end < limit && isIdentifierCharacter(range[end])) {
          end++;
        }
        return end;
      }
      return findVersionNumberEndIndex(range, start, loose, digitRuns);
    };
    var findPrereleaseEndIndex = (range, start, loose, digitRuns) => {
      const hyphen = range[start] === "-";
      if (!loose && !hyphen) {
        return start;
      }
      const identifierStart = start + (hyphen ? 1 : 0);
      let end = findPrereleaseIdentifierEndIndex(range, identifierStart, loose, digitRuns);
      if (end === identifierStart) {
        if (!loose || !hyphen) {
          return start;
        }
        end = findPrereleaseIdentifierEndIndex(range, start, loose, digitRuns);
      }
      while (range[end] === ".") {
        const next2 = findPrereleaseIdentifierEndIndex(range, end + 1, loose, digitRuns);
        if (next2 === end + 1) {
          break;
        }
        end = next2;
      }
      return end;
    };
    var findBuildIdentifierEndIndex = (range, start) => {
      let end = start;
      while (end - start < MAX_SAFE_BUILD_LENGTH && isIdentifierCharacter(range[end])) {
        end++;
      }
      return end;
    };
    var findBuildEndIndex = (range, start) => {
      if (range[start] !== "+") {
        return start;
      }
      let end = findBuildIdentifierEndIndex(range, start + 1);
      if (end === start + 1) {
        return start;
      }
      while (range[end] === ".") {
        const next2 = findBuildIdentifierEndIndex(range, end + 1);
        if (next2 === end + 1) {
          break;
        }
        end = next2;
      }
      return end;
    };
    var findLooseFullVersionEndIndex = (range, start, digitRuns) => {
      let end = start;
      for (let component = 0; component < 3; component++) {
        const next2 = findVersionNumberEndIndex(range, end, true, digitRuns);
        if (next2 === end) {
          return start;
        }
        end = next2;
        if (component < 2) {
          if (range[end] !== ".") {
            return start;
          }
          end++;
        }
      }
      const prereleaseEnd = findPrereleaseEndIndex(range, end, true, digitRuns);
      return findBuildEndIndex(range, prereleaseEnd);
    };
    var findPartialVersionComponentEndIndex = (range, start, digitRuns) => {
      if (isDigit(range[start])) {
        return findVersionNumberEndIndex(range, start, false, digitRuns);
      }
      return isVersionStart(range[start]) ? start + 1 : start;
    };
    var findPartialVersionEndIndex = (range, start, digitRuns) => {
      let end = findPartialVersionComponentEndIndex(range, start, digitRuns);
      for (let component = 0; component < 2; component++) {
        if (range[end] !== ".") {
          return end;
        }
        const next2 = findPartialVersionComponentEndIndex(range, end + 1, digitRuns);
        if (next2 === end + 1) {
          return end;
        }
        end = next2;
      }
      const prereleaseEnd = findPrereleaseEndIndex(range, end, false, digitRuns);
      return findBuildEndIndex(range, prereleaseEnd);
    };
    var findVersionEndIndex = (range, start, digitRuns) => {
      const fullVersionEnd = findLooseFullVersionEndIndex(range, start, digitRuns);
      return fullVersionEnd !== start ? fullVersionEnd : findPartialVersionEndIndex(range, start, digitRuns);
    };
    var findRemovableWhitespaceIndex = (range, matchStart) => {
      let position2 = matchStart;
      if (isWhitespace(range[position2])) {
        position2++;
      }
      if (range[position2] === "<" || range[position2] === ">") {
        position2++;
      }
      if (range[position2] === "=") {
        position2++;
      }
      return isWhitespace(range[position2]) ? position2 : -1;
    };
    var trimComparatorWhitespace = (range) => {
      let result = "";
      let copyFrom = 0;
      let cursor = 0;
      const digitRuns = { start: -1, end: -1, previousStart: -1, previousEnd: -1 };
      while (cursor < range.length) {
        const matchStart = cursor;
        if (range[cursor] === "<" || range[cursor] === ">") {
          cursor++;
        } else if (!isVersionPrefix(range[cursor]) && !isVersionStart(range[cursor])) {
          cursor++;
          continue;
        }
        while (cursor < range.length && isVersionPrefix(range[cursor])) {
          cursor++;
        }
        if (!isVersionStart(range[cursor])) {
          continue;
        }
        const whitespacePosition = findRemovableWhitespaceIndex(range, matchStart);
        if (whitespacePosition !== -1) {
          result += range.slice(copyFrom, whitespacePosition);
          copyFrom = whitespacePosition + 1;
        }
        cursor = findVersionEndIndex(range, cursor, digitRuns);
      }
      return result + range.slice(copyFrom);
    };
    module.exports = trimComparatorWhitespace;
  }
});

// node_modules/semver/classes/range.js
var require_range = __commonJS({
  "node_modules/semver/classes/range.js"(exports, module) {
    "use strict";
    var SPACE_CHARACTERS = /\s+/g;
    var Range = class _Range {
      constructor(range, options) {
        options = parseOptions(options);
        if (range instanceof _Range) {
          if (range.loose === !!options.loose && range.includePrerelease === !!options.includePrerelease) {
            return range;
          } else {
            return new _Range(range.raw, options);
          }
        }
        if (range instanceof Comparator) {
          this.raw = range.value;
          this.set = [[range]];
          this.formatted = void 0;
          return this;
        }
        this.options = options;
        this.loose = !!options.loose;
        this.includePrerelease = !!options.includePrerelease;
        this.raw = range.trim().replace(SPACE_CHARACTERS, " ");
        this.set = this.raw.split("||").map((r) => this.parseRange(r.trim())).filter((c) => c.length);
        if (!this.set.length) {
          throw new TypeError(`Invalid SemVer Range: ${this.raw}`);
        }
        if (this.set.length > 1) {
          const first = this.set[0];
          this.set = this.set.filter((c) => !isNullSet(c[0]));
          if (this.set.length === 0) {
            this.set = [first];
          } else if (this.set.length > 1) {
            for (const c of this.set) {
              if (c.length === 1 && isAny(c[0])) {
                this.set = [c];
                break;
              }
            }
          }
        }
        this.formatted = void 0;
      }
      get range() {
        if (this.formatted === void 0) {
          this.formatted = "";
          for (let i = 0; i < this.set.length; i++) {
            if (i > 0) {
              this.formatted += "||";
            }
            const comps = this.set[i];
            for (let k = 0; k < comps.length; k++) {
              if (k > 0) {
                this.formatted += " ";
              }
              this.formatted += comps[k].toString().trim();
            }
          }
        }
        return this.formatted;
      }
      format() {
        return this.range;
      }
      toString() {
        return this.range;
      }
      parseRange(range) {
        range = range.replace(BUILDSTRIPRE, "");
        const memoOpts = (this.options.includePrerelease && FLAG_INCLUDE_PRERELEASE) | (this.options.loose && FLAG_LOOSE);
        const memoKey = memoOpts + ":" + range;
        const cached2 = cache.get(memoKey);
        if (cached2) {
          return cached2;
        }
        const loose = this.options.loose;
        const hr = loose ? re[t.HYPHENRANGELOOSE] : re[t.HYPHENRANGE];
        range = range.replace(hr, hyphenReplace(this.options.includePrerelease));
        debug("hyphen replace", range);
        range = trimComparatorWhitespace(range);
        debug("comparator trim", range);
        range = range.replace(re[t.TILDETRIM], tildeTrimReplace);
        debug("tilde trim", range);
        range = range.replace(re[t.CARETTRIM], caretTrimReplace);
        debug("caret trim", range);
        let rangeList = range.split(" ").map((comp) => parseComparator(comp, this.options)).join(" ").split(/\s+/).map((comp) => replaceGTE0(comp, this.options));
        if (loose) {
          rangeList = rangeList.filter((comp) => {
            debug("loose invalid filter", comp, this.options);
            return !!comp.match(re[t.COMPARATORLOOSE]);
          });
        }
        debug("range list", rangeList);
        const rangeMap = /* @__PURE__ */ new Map();
        const comparators = rangeList.map((comp) => new Comparator(comp, this.options));
        for (const comp of comparators) {
          if (isNullSet(comp)) {
            return [comp];
          }
          rangeMap.set(comp.value, comp);
        }
        if (rangeMap.size > 1 && rangeMap.has("")) {
          rangeMap.delete("");
        }
        const result = [...rangeMap.values()];
        cache.set(memoKey, result);
        return result;
      }
      intersects(range, options) {
        if (!(range instanceof _Range)) {
          throw new TypeError("a Range is required");
        }
        return this.set.some((thisComparators) => {
          return isSatisfiable(thisComparators, options) && range.set.some((rangeComparators) => {
            return isSatisfiable(rangeComparators, options) && thisComparators.every((thisComparator) => {
              return rangeComparators.every((rangeComparator) => {
                return thisComparator.intersects(rangeComparator, options);
              });
            });
          });
        });
      }
      // if ANY of the sets match ALL of its comparators, then pass
      test(version2) {
        if (!version2) {
          return false;
        }
        if (typeof version2 === "string") {
          try {
            version2 = new SemVer2(version2, this.options);
          } catch (er) {
            return false;
          }
        }
        for (let i = 0; i < this.set.length; i++) {
          if (testSet(this.set[i], version2, this.options)) {
            return true;
          }
        }
        return false;
      }
    };
    module.exports = Range;
    var LRU = require_lrucache();
    var cache = new LRU();
    var parseOptions = require_parse_options();
    var Comparator = require_comparator();
    var debug = require_debug();
    var SemVer2 = require_semver();
    var trimComparatorWhitespace = require_trim_comparator_whitespace();
    var {
      safeRe: re,
      src,
      t,
      tildeTrimReplace,
      caretTrimReplace
    } = require_re();
    var { FLAG_INCLUDE_PRERELEASE, FLAG_LOOSE } = require_constants();
    var BUILDSTRIPRE = new RegExp(src[t.BUILD], "g");
    var isNullSet = (c) => c.value === "<0.0.0-0";
    var isAny = (c) => c.value === "";
    var isSatisfiable = (comparators, options) => {
      let result = true;
      const remainingComparators = comparators.slice();
      let testComparator = remainingComparators.pop();
      while (result && remainingComparators.length) {
        result = remainingComparators.every((otherComparator) => {
          return testComparator.intersects(otherComparator, options);
        });
        testComparator = remainingComparators.pop();
      }
      return result;
    };
    var parseComparator = (comp, options) => {
      comp = comp.replace(re[t.BUILD], "");
      debug("comp", comp, options);
      comp = replaceCarets(comp, options);
      debug("caret", comp);
      comp = replaceTildes(comp, options);
      debug("tildes", comp);
      comp = replaceXRanges(comp, options);
      debug("xrange", comp);
      comp = replaceStars(comp, options);
      debug("stars", comp);
      return comp;
    };
    var isX = (id) => !id || id.toLowerCase() === "x" || id === "*";
    var invalidXRangeOrder = (M, m, p) => isX(M) && !isX(m) || isX(m) && p && !isX(p);
    var replaceTildes = (comp, options) => {
      return comp.trim().split(/\s+/).map((c) => replaceTilde(c, options)).join(" ");
    };
    var replaceTilde = (comp, options) => {
      const r = options.loose ? re[t.TILDELOOSE] : re[t.TILDE];
      const z = options.includePrerelease ? "-0" : "";
      return comp.replace(r, (_, M, m, p, pr) => {
        debug("tilde", comp, _, M, m, p, pr);
        let ret;
        if (isX(M)) {
          ret = "";
        } else if (isX(m)) {
          ret = `>=${M}.0.0${z} <${+M + 1}.0.0-0`;
        } else if (isX(p)) {
          ret = `>=${M}.${m}.0${z} <${M}.${+m + 1}.0-0`;
        } else if (pr) {
          debug("replaceTilde pr", pr);
          ret = `>=${M}.${m}.${p}-${pr} <${M}.${+m + 1}.0-0`;
        } else {
          ret = `>=${M}.${m}.${p} <${M}.${+m + 1}.0-0`;
        }
        debug("tilde return", ret);
        return ret;
      });
    };
    var replaceCarets = (comp, options) => {
      return comp.trim().split(/\s+/).map((c) => replaceCaret(c, options)).join(" ");
    };
    var replaceCaret = (comp, options) => {
      debug("caret", comp, options);
      const r = options.loose ? re[t.CARETLOOSE] : re[t.CARET];
      const z = options.includePrerelease ? "-0" : "";
      return comp.replace(r, (_, M, m, p, pr) => {
        debug("caret", comp, _, M, m, p, pr);
        let ret;
        if (isX(M)) {
          ret = "";
        } else if (isX(m)) {
          ret = `>=${M}.0.0${z} <${+M + 1}.0.0-0`;
        } else if (isX(p)) {
          if (M === "0") {
            ret = `>=${M}.${m}.0${z} <${M}.${+m + 1}.0-0`;
          } else {
            ret = `>=${M}.${m}.0${z} <${+M + 1}.0.0-0`;
          }
        } else if (pr) {
          debug("replaceCaret pr", pr);
          if (M === "0") {
            if (m === "0") {
              ret = `>=${M}.${m}.${p}-${pr} <${M}.${m}.${+p + 1}-0`;
            } else {
              ret = `>=${M}.${m}.${p}-${pr} <${M}.${+m + 1}.0-0`;
            }
          } else {
            ret = `>=${M}.${m}.${p}-${pr} <${+M + 1}.0.0-0`;
          }
        } else {
          debug("no pr");
          if (M === "0") {
            if (m === "0") {
              ret = `>=${M}.${m}.${p} <${M}.${m}.${+p + 1}-0`;
            } else {
              ret = `>=${M}.${m}.${p} <${M}.${+m + 1}.0-0`;
            }
          } else {
            ret = `>=${M}.${m}.${p} <${+M + 1}.0.0-0`;
          }
        }
        debug("caret return", ret);
        return ret;
      });
    };
    var replaceXRanges = (comp, options) => {
      debug("replaceXRanges", comp, options);
      return comp.split(/\s+/).map((c) => replaceXRange(c, options)).join(" ");
    };
    var replaceXRange = (comp, options) => {
      comp = comp.trim();
      const r = options.loose ? re[t.XRANGELOOSE] : re[t.XRANGE];
      return comp.replace(r, (ret, gtlt, M, m, p, pr) => {
        debug("xRange", comp, ret, gtlt, M, m, p, pr);
        if (invalidXRangeOrder(M, m, p)) {
          return comp;
        }
        const xM = isX(M);
        const xm = xM || isX(m);
        const xp = xm || isX(p);
        const anyX = xp;
        if (gtlt === "=" && anyX) {
          gtlt = "";
        }
        pr = options.includePrerelease ? "-0" : "";
        if (xM) {
          if (gtlt === ">" || gtlt === "<") {
            ret = "<0.0.0-0";
          } else {
            ret = "*";
          }
        } else if (gtlt && anyX) {
          if (xm) {
            m = 0;
          }
          p = 0;
          if (gtlt === ">") {
            gtlt = ">=";
            if (xm) {
              M = +M + 1;
              m = 0;
              p = 0;
            } else {
              m = +m + 1;
              p = 0;
            }
          } else if (gtlt === "<=") {
            gtlt = "<";
            if (xm) {
              M = +M + 1;
            } else {
              m = +m + 1;
            }
          }
          if (gtlt === "<") {
            pr = "-0";
          }
          ret = `${gtlt + M}.${m}.${p}${pr}`;
        } else if (xm) {
          ret = `>=${M}.0.0${pr} <${+M + 1}.0.0-0`;
        } else if (xp) {
          ret = `>=${M}.${m}.0${pr} <${M}.${+m + 1}.0-0`;
        }
        debug("xRange return", ret);
        return ret;
      });
    };
    var replaceStars = (comp, options) => {
      debug("replaceStars", comp, options);
      return comp.trim().replace(re[t.STAR], "");
    };
    var replaceGTE0 = (comp, options) => {
      debug("replaceGTE0", comp, options);
      return comp.trim().replace(re[options.includePrerelease ? t.GTE0PRE : t.GTE0], "");
    };
    var hyphenReplace = (incPr) => ($0, from, fM, fm, fp, fpr, fb, to, tM, tm, tp, tpr) => {
      if (isX(fM)) {
        from = "";
      } else if (isX(fm)) {
        from = `>=${fM}.0.0${incPr ? "-0" : ""}`;
      } else if (isX(fp)) {
        from = `>=${fM}.${fm}.0${incPr ? "-0" : ""}`;
      } else if (fpr) {
        from = `>=${from}`;
      } else {
        from = `>=${from}${incPr ? "-0" : ""}`;
      }
      if (isX(tM)) {
        to = "";
      } else if (isX(tm)) {
        to = `<${+tM + 1}.0.0-0`;
      } else if (isX(tp)) {
        to = `<${tM}.${+tm + 1}.0-0`;
      } else if (tpr) {
        to = `<=${tM}.${tm}.${tp}-${tpr}`;
      } else if (incPr) {
        to = `<${tM}.${tm}.${+tp + 1}-0`;
      } else {
        to = `<=${to}`;
      }
      return `${from} ${to}`.trim();
    };
    var testSet = (set, version2, options) => {
      for (let i = 0; i < set.length; i++) {
        if (!set[i].test(version2)) {
          return false;
        }
      }
      if (version2.prerelease.length && !options.includePrerelease) {
        for (let i = 0; i < set.length; i++) {
          debug(set[i].semver);
          if (set[i].semver === Comparator.ANY) {
            continue;
          }
          if (set[i].semver.prerelease.length > 0) {
            const allowed = set[i].semver;
            if (allowed.major === version2.major && allowed.minor === version2.minor && allowed.patch === version2.patch) {
              return true;
            }
          }
        }
        return false;
      }
      return true;
    };
  }
});

// node_modules/semver/functions/satisfies.js
var require_satisfies = __commonJS({
  "node_modules/semver/functions/satisfies.js"(exports, module) {
    "use strict";
    var Range = require_range();
    var satisfies3 = (version2, range, options) => {
      try {
        range = new Range(range, options);
      } catch (er) {
        return false;
      }
      return range.test(version2);
    };
    module.exports = satisfies3;
  }
});

// node_modules/semver/functions/parse.js
var require_parse = __commonJS({
  "node_modules/semver/functions/parse.js"(exports, module) {
    "use strict";
    var SemVer2 = require_semver();
    var parse7 = (version2, options, throwErrors = false) => {
      if (version2 instanceof SemVer2) {
        return version2;
      }
      try {
        return new SemVer2(version2, options);
      } catch (er) {
        if (!throwErrors) {
          return null;
        }
        throw er;
      }
    };
    module.exports = parse7;
  }
});

// node_modules/semver/functions/valid.js
var require_valid = __commonJS({
  "node_modules/semver/functions/valid.js"(exports, module) {
    "use strict";
    var parse7 = require_parse();
    var valid2 = (version2, options) => {
      const v = parse7(version2, options);
      return v ? v.version : null;
    };
    module.exports = valid2;
  }
});

// node_modules/semver/ranges/valid.js
var require_valid2 = __commonJS({
  "node_modules/semver/ranges/valid.js"(exports, module) {
    "use strict";
    var Range = require_range();
    var validRange3 = (range, options) => {
      try {
        return new Range(range, options).range || "*";
      } catch (er) {
        return null;
      }
    };
    module.exports = validRange3;
  }
});

// node_modules/semver/ranges/min-version.js
var require_min_version = __commonJS({
  "node_modules/semver/ranges/min-version.js"(exports, module) {
    "use strict";
    var SemVer2 = require_semver();
    var Range = require_range();
    var gt = require_gt();
    var minVersion2 = (range, loose) => {
      range = new Range(range, loose);
      let minver = new SemVer2("0.0.0");
      if (range.test(minver)) {
        return minver;
      }
      minver = new SemVer2("0.0.0-0");
      if (range.test(minver)) {
        return minver;
      }
      minver = null;
      for (let i = 0; i < range.set.length; ++i) {
        const comparators = range.set[i];
        let setMin = null;
        comparators.forEach((comparator) => {
          const compver = new SemVer2(comparator.semver.version);
          switch (comparator.operator) {
            case ">":
              if (compver.prerelease.length === 0) {
                compver.patch++;
              } else {
                compver.prerelease.push(0);
              }
              compver.raw = compver.format();
            /* fallthrough */
            case "":
            case ">=":
              if (!setMin || gt(compver, setMin)) {
                setMin = compver;
              }
              break;
            case "<":
            case "<=":
              break;
            /* istanbul ignore next */
            default:
              throw new Error(`Unexpected operation: ${comparator.operator}`);
          }
        });
        if (setMin && (!minver || gt(minver, setMin))) {
          minver = setMin;
        }
      }
      if (minver && range.test(minver)) {
        return minver;
      }
      return null;
    };
    module.exports = minVersion2;
  }
});

// node_modules/picocolors/picocolors.js
var require_picocolors = __commonJS({
  "node_modules/picocolors/picocolors.js"(exports, module) {
    var p = process || {};
    var argv = p.argv || [];
    var env = p.env || {};
    var isColorSupported = !(!!env.NO_COLOR || argv.includes("--no-color")) && (!!env.FORCE_COLOR || argv.includes("--color") || p.platform === "win32" || (p.stdout || {}).isTTY && env.TERM !== "dumb" || !!env.CI);
    var formatter = (open3, close, replace = open3) => (input) => {
      let string4 = "" + input, index = string4.indexOf(close, open3.length);
      return ~index ? open3 + replaceClose(string4, close, replace, index) + close : open3 + string4 + close;
    };
    var replaceClose = (string4, close, replace, index) => {
      let result = "", cursor = 0;
      do {
        result += string4.substring(cursor, index) + replace;
        cursor = index + close.length;
        index = string4.indexOf(close, cursor);
      } while (~index);
      return result + string4.substring(cursor);
    };
    var createColors = (enabled = isColorSupported) => {
      let f = enabled ? formatter : () => String;
      return {
        isColorSupported: enabled,
        reset: f("\x1B[0m", "\x1B[0m"),
        bold: f("\x1B[1m", "\x1B[22m", "\x1B[22m\x1B[1m"),
        dim: f("\x1B[2m", "\x1B[22m", "\x1B[22m\x1B[2m"),
        italic: f("\x1B[3m", "\x1B[23m"),
        underline: f("\x1B[4m", "\x1B[24m"),
        inverse: f("\x1B[7m", "\x1B[27m"),
        hidden: f("\x1B[8m", "\x1B[28m"),
        strikethrough: f("\x1B[9m", "\x1B[29m"),
        black: f("\x1B[30m", "\x1B[39m"),
        red: f("\x1B[31m", "\x1B[39m"),
        green: f("\x1B[32m", "\x1B[39m"),
        yellow: f("\x1B[33m", "\x1B[39m"),
        blue: f("\x1B[34m", "\x1B[39m"),
        magenta: f("\x1B[35m", "\x1B[39m"),
        cyan: f("\x1B[36m", "\x1B[39m"),
        white: f("\x1B[37m", "\x1B[39m"),
        gray: f("\x1B[90m", "\x1B[39m"),
        bgBlack: f("\x1B[40m", "\x1B[49m"),
        bgRed: f("\x1B[41m", "\x1B[49m"),
        bgGreen: f("\x1B[42m", "\x1B[49m"),
        bgYellow: f("\x1B[43m", "\x1B[49m"),
        bgBlue: f("\x1B[44m", "\x1B[49m"),
        bgMagenta: f("\x1B[45m", "\x1B[49m"),
        bgCyan: f("\x1B[46m", "\x1B[49m"),
        bgWhite: f("\x1B[47m", "\x1B[49m"),
        blackBright: f("\x1B[90m", "\x1B[39m"),
        redBright: f("\x1B[91m", "\x1B[39m"),
        greenBright: f("\x1B[92m", "\x1B[39m"),
        yellowBright: f("\x1B[93m", "\x1B[39m"),
        blueBright: f("\x1B[94m", "\x1B[39m"),
        magentaBright: f("\x1B[95m", "\x1B[39m"),
        cyanBright: f("\x1B[96m", "\x1B[39m"),
        whiteBright: f("\x1B[97m", "\x1B[39m"),
        bgBlackBright: f("\x1B[100m", "\x1B[49m"),
        bgRedBright: f("\x1B[101m", "\x1B[49m"),
        bgGreenBright: f("\x1B[102m", "\x1B[49m"),
        bgYellowBright: f("\x1B[103m", "\x1B[49m"),
        bgBlueBright: f("\x1B[104m", "\x1B[49m"),
        bgMagentaBright: f("\x1B[105m", "\x1B[49m"),
        bgCyanBright: f("\x1B[106m", "\x1B[49m"),
        bgWhiteBright: f("\x1B[107m", "\x1B[49m")
      };
    };
    module.exports = createColors();
    module.exports.createColors = createColors;
  }
});

// node_modules/zod/v4/core/util.js
var util_exports = {};
__export(util_exports, {
  BIGINT_FORMAT_RANGES: () => BIGINT_FORMAT_RANGES,
  CONSTANT_CATCH: () => CONSTANT_CATCH,
  Class: () => Class,
  NUMBER_FORMAT_RANGES: () => NUMBER_FORMAT_RANGES,
  aborted: () => aborted,
  allowsEval: () => allowsEval,
  assert: () => assert,
  assertEqual: () => assertEqual,
  assertIs: () => assertIs,
  assertNever: () => assertNever,
  assertNotEqual: () => assertNotEqual,
  assignProp: () => assignProp,
  attachSchema: () => attachSchema,
  base64ToUint8Array: () => base64ToUint8Array,
  base64urlToUint8Array: () => base64urlToUint8Array,
  cached: () => cached,
  captureStackTrace: () => captureStackTrace,
  cleanEnum: () => cleanEnum,
  cleanRegex: () => cleanRegex,
  clone: () => clone,
  cloneDef: () => cloneDef,
  codePointLength: () => codePointLength,
  constantCatch: () => constantCatch,
  createTransparentProxy: () => createTransparentProxy,
  defineLazy: () => defineLazy,
  defineLazyInternal: () => defineLazyInternal,
  derived: () => derived,
  esc: () => esc,
  escapeRegex: () => escapeRegex,
  explicitlyAborted: () => explicitlyAborted,
  extend: () => extend,
  finalizeIssue: () => finalizeIssue,
  floatSafeRemainder: () => floatSafeRemainder,
  getElementAtPath: () => getElementAtPath,
  getEnumValues: () => getEnumValues,
  getLengthableOrigin: () => getLengthableOrigin,
  getParsedType: () => getParsedType,
  getSizableOrigin: () => getSizableOrigin,
  hexToUint8Array: () => hexToUint8Array,
  hide: () => hide,
  installLazyProp: () => installLazyProp,
  isObject: () => isObject,
  isPlainObject: () => isPlainObject,
  issue: () => issue,
  joinValues: () => joinValues,
  jsonStringifyReplacer: () => jsonStringifyReplacer,
  members: () => members,
  merge: () => merge,
  mergeDefs: () => mergeDefs,
  normalizeParams: () => normalizeParams,
  nullish: () => nullish,
  numKeys: () => numKeys,
  objectClone: () => objectClone,
  omit: () => omit,
  optionalKeys: () => optionalKeys,
  own: () => own,
  parsedType: () => parsedType,
  partial: () => partial,
  pick: () => pick,
  prefixIssues: () => prefixIssues,
  primitiveTypes: () => primitiveTypes,
  promiseAllObject: () => promiseAllObject,
  propertyKeyTypes: () => propertyKeyTypes,
  randomString: () => randomString,
  rawShape: () => rawShape,
  required: () => required,
  safeExtend: () => safeExtend,
  shallowClone: () => shallowClone,
  sizeCaps: () => sizeCaps,
  slugify: () => slugify,
  stringifyPrimitive: () => stringifyPrimitive,
  toZod: () => toZod,
  uint8ArrayToBase64: () => uint8ArrayToBase64,
  uint8ArrayToBase64url: () => uint8ArrayToBase64url,
  uint8ArrayToHex: () => uint8ArrayToHex,
  unwrapMessage: () => unwrapMessage
});
function assertEqual(val) {
  return val;
}
function assertNotEqual(val) {
  return val;
}
function toZod() {
  return (schema) => schema;
}
function assertIs(_arg) {
}
function assertNever(_x) {
  throw new Error("Unexpected value in exhaustive check");
}
function assert(_) {
}
function getEnumValues(entries2) {
  const numericValues = Object.values(entries2).filter((v) => typeof v === "number");
  const values = Object.entries(entries2).filter(([k, _]) => numericValues.indexOf(+k) === -1).map(([_, v]) => v);
  return values;
}
function joinValues(array2, separator = "|") {
  return array2.map((val) => stringifyPrimitive(val)).join(separator);
}
function jsonStringifyReplacer(_, value) {
  if (typeof value === "bigint")
    return value.toString();
  return value;
}
var Cached = class {
  constructor(getter) {
    this._getter = getter;
    this._value = void 0;
  }
  get value() {
    const getter = this._getter;
    if (getter !== void 0) {
      this._value = getter();
      this._getter = void 0;
    }
    return this._value;
  }
};
function cached(getter) {
  return new Cached(getter);
}
function nullish(input) {
  return input === null || input === void 0;
}
function cleanRegex(source) {
  const start = source.startsWith("^") ? 1 : 0;
  const end = source.endsWith("$") ? source.length - 1 : source.length;
  return source.slice(start, end);
}
function floatSafeRemainder(val, step) {
  const ratio = val / step;
  const roundedRatio = Math.round(ratio);
  const tolerance = 4 * Number.EPSILON * Math.max(Math.abs(ratio), 1);
  if (Math.abs(ratio - roundedRatio) < tolerance)
    return 0;
  return ratio - roundedRatio;
}
var EVALUATING = /* @__PURE__ */ Symbol("evaluating");
function defineLazy(object2, key2, getter) {
  let value = void 0;
  Object.defineProperty(object2, key2, {
    get() {
      if (value === EVALUATING) {
        return void 0;
      }
      if (value === void 0) {
        value = EVALUATING;
        value = getter();
      }
      return value;
    },
    set(v) {
      Object.defineProperty(object2, key2, {
        value: v
        // configurable: true,
      });
    },
    configurable: true
  });
}
function objectClone(obj) {
  return Object.create(Object.getPrototypeOf(obj), Object.getOwnPropertyDescriptors(obj));
}
function assignProp(target, prop, value) {
  Object.defineProperty(target, prop, {
    value,
    writable: true,
    enumerable: true,
    configurable: true
  });
}
function rawShape(def) {
  const desc2 = Object.getOwnPropertyDescriptor(def, "shape");
  return desc2?.get ? desc2.get.raw : desc2?.value;
}
function sourceShape(schema) {
  return rawShape(schema._zod.def) ?? schema._zod.def.shape;
}
function deferProp(target, key2, getter) {
  Object.defineProperty(target, key2, {
    get() {
      const value = getter();
      assignProp(this, key2, value);
      return value;
    },
    enumerable: true,
    configurable: true
  });
}
function putProp(target, key2, value) {
  if (key2 in target)
    assignProp(target, key2, value);
  else
    target[key2] = value;
}
function mirrorShape(target, source, keys, wrap2) {
  const raw = sourceShape(source);
  for (const key2 of keys) {
    const desc2 = Object.getOwnPropertyDescriptor(raw, key2);
    if (!desc2.enumerable)
      continue;
    if (desc2.get) {
      deferProp(target, key2, () => {
        const value = source._zod.def.shape[key2];
        return wrap2 ? wrap2(value, key2) : value;
      });
    } else
      putProp(target, key2, wrap2 ? wrap2(desc2.value, key2) : desc2.value);
  }
}
function mirrorProps(target, source) {
  for (const key2 of Reflect.ownKeys(source)) {
    const desc2 = Object.getOwnPropertyDescriptor(source, key2);
    if (!desc2.enumerable)
      continue;
    if (desc2.get)
      deferProp(target, key2, () => source[key2]);
    else
      putProp(target, key2, desc2.value);
  }
}
function mergeDefs(...defs) {
  const mergedDescriptors = {};
  for (const def of defs) {
    const descriptors = Object.getOwnPropertyDescriptors(def);
    Object.assign(mergedDescriptors, descriptors);
  }
  return Object.defineProperties({}, mergedDescriptors);
}
function cloneDef(schema) {
  return mergeDefs(schema._zod.def);
}
function getElementAtPath(obj, path) {
  if (!path)
    return obj;
  return path.reduce((acc, key2) => acc?.[key2], obj);
}
function promiseAllObject(promisesObj) {
  const keys = Object.keys(promisesObj);
  const promises = keys.map((key2) => promisesObj[key2]);
  return Promise.all(promises).then((results) => {
    const resolvedObj = {};
    for (let i = 0; i < keys.length; i++) {
      resolvedObj[keys[i]] = results[i];
    }
    return resolvedObj;
  });
}
function randomString(length = 10) {
  const chars = "abcdefghijklmnopqrstuvwxyz";
  let str = "";
  for (let i = 0; i < length; i++) {
    str += chars[Math.floor(Math.random() * chars.length)];
  }
  return str;
}
function esc(str) {
  return JSON.stringify(str);
}
function slugify(input) {
  return input.toLowerCase().trim().replace(/[^\w\s-]/g, "").replace(/[\s_-]+/g, "-").replace(/^-+|-+$/g, "");
}
var captureStackTrace = "captureStackTrace" in Error ? Error.captureStackTrace : (..._args) => {
};
function isObject(data) {
  return typeof data === "object" && data !== null && !Array.isArray(data);
}
var allowsEval = /* @__PURE__ */ cached(() => {
  if (globalConfig.jitless) {
    return false;
  }
  if (typeof navigator !== "undefined" && navigator?.userAgent?.includes("Cloudflare")) {
    return false;
  }
  try {
    const F = Function;
    new F("");
    return true;
  } catch (_) {
    return false;
  }
});
function isPlainObject(o) {
  if (isObject(o) === false)
    return false;
  const ctor = o.constructor;
  if (ctor === void 0)
    return true;
  if (typeof ctor !== "function")
    return true;
  const prot = ctor.prototype;
  if (isObject(prot) === false)
    return false;
  if (Object.prototype.hasOwnProperty.call(prot, "isPrototypeOf") === false) {
    return false;
  }
  return true;
}
function shallowClone(o) {
  if (isPlainObject(o))
    return { ...o };
  if (Array.isArray(o))
    return [...o];
  if (o instanceof Map)
    return new Map(o);
  if (o instanceof Set)
    return new Set(o);
  return o;
}
function numKeys(data) {
  let keyCount = 0;
  for (const key2 in data) {
    if (Object.prototype.hasOwnProperty.call(data, key2)) {
      keyCount++;
    }
  }
  return keyCount;
}
var getParsedType = (data) => {
  const t = typeof data;
  switch (t) {
    case "undefined":
      return "undefined";
    case "string":
      return "string";
    case "number":
      return Number.isNaN(data) ? "nan" : "number";
    case "boolean":
      return "boolean";
    case "function":
      return "function";
    case "bigint":
      return "bigint";
    case "symbol":
      return "symbol";
    case "object":
      if (Array.isArray(data)) {
        return "array";
      }
      if (data === null) {
        return "null";
      }
      if (data.then && typeof data.then === "function" && data.catch && typeof data.catch === "function") {
        return "promise";
      }
      if (typeof Map !== "undefined" && data instanceof Map) {
        return "map";
      }
      if (typeof Set !== "undefined" && data instanceof Set) {
        return "set";
      }
      if (typeof Date !== "undefined" && data instanceof Date) {
        return "date";
      }
      if (typeof File !== "undefined" && data instanceof File) {
        return "file";
      }
      return "object";
    default:
      throw new Error(`Unknown data type: ${t}`);
  }
};
var propertyKeyTypes = /* @__PURE__ */ new Set(["string", "number", "symbol"]);
var primitiveTypes = /* @__PURE__ */ new Set([
  "string",
  "number",
  "bigint",
  "boolean",
  "symbol",
  "undefined"
]);
function escapeRegex(str) {
  return str.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
function clone(inst, def, params) {
  const cl = new inst._zod.constr(def ?? inst._zod.def);
  if (!def || params?.parent)
    cl._zod.parent = inst;
  return cl;
}
function normalizeParams(_params) {
  const params = _params;
  if (!params)
    return {};
  if (typeof params === "string")
    return { error: () => params };
  if (params?.message !== void 0) {
    if (params?.error !== void 0)
      throw new Error("Cannot specify both `message` and `error` params");
    params.error = params.message;
  }
  delete params.message;
  if (typeof params.error === "string")
    return { ...params, error: () => params.error };
  return params;
}
function createTransparentProxy(getter) {
  let target;
  return new Proxy({}, {
    get(_, prop, receiver) {
      target ?? (target = getter());
      return Reflect.get(target, prop, receiver);
    },
    set(_, prop, value, receiver) {
      target ?? (target = getter());
      return Reflect.set(target, prop, value, receiver);
    },
    has(_, prop) {
      target ?? (target = getter());
      return Reflect.has(target, prop);
    },
    deleteProperty(_, prop) {
      target ?? (target = getter());
      return Reflect.deleteProperty(target, prop);
    },
    ownKeys(_) {
      target ?? (target = getter());
      return Reflect.ownKeys(target);
    },
    getOwnPropertyDescriptor(_, prop) {
      target ?? (target = getter());
      return Reflect.getOwnPropertyDescriptor(target, prop);
    },
    defineProperty(_, prop, descriptor) {
      target ?? (target = getter());
      return Reflect.defineProperty(target, prop, descriptor);
    }
  });
}
function stringifyPrimitive(value) {
  if (typeof value === "bigint")
    return value.toString() + "n";
  if (typeof value === "string")
    return `"${value}"`;
  return `${value}`;
}
function optionalKeys(shape) {
  return Object.keys(shape).filter((k) => {
    return shape[k]._zod.optin !== void 0 && shape[k]._zod.optout === "optional";
  });
}
var NUMBER_FORMAT_RANGES = /* @__PURE__ */ (() => ({
  safeint: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  int32: [-2147483648, 2147483647],
  uint32: [0, 4294967295],
  float32: [-34028234663852886e22, 34028234663852886e22],
  float64: [-Number.MAX_VALUE, Number.MAX_VALUE]
}))();
var BIGINT_FORMAT_RANGES = {
  int64: [/* @__PURE__ */ BigInt("-9223372036854775808"), /* @__PURE__ */ BigInt("9223372036854775807")],
  uint64: [/* @__PURE__ */ BigInt(0), /* @__PURE__ */ BigInt("18446744073709551615")]
};
function pick(schema, mask) {
  const currDef = schema._zod.def;
  const checks = currDef.checks;
  const hasChecks = checks && checks.length > 0;
  if (hasChecks) {
    throw new Error(".pick() cannot be used on object schemas containing refinements");
  }
  const newShape = {};
  mirrorShape(newShape, schema, maskedKeys(schema, mask));
  return clone(schema, mergeDefs(currDef, { shape: newShape, checks: [] }));
}
function maskedKeys(schema, mask) {
  const raw = sourceShape(schema);
  const keys = [];
  for (const key2 of Reflect.ownKeys(mask)) {
    if (!Object.getOwnPropertyDescriptor(raw, key2)?.enumerable) {
      throw new Error(`Unrecognized key: "${String(key2)}"`);
    }
    if (mask[key2])
      keys.push(key2);
  }
  return keys;
}
function omit(schema, mask) {
  const currDef = schema._zod.def;
  const checks = currDef.checks;
  const hasChecks = checks && checks.length > 0;
  if (hasChecks) {
    throw new Error(".omit() cannot be used on object schemas containing refinements");
  }
  const omitted = new Set(maskedKeys(schema, mask));
  const newShape = {};
  mirrorShape(newShape, schema, Reflect.ownKeys(sourceShape(schema)).filter((key2) => !omitted.has(key2)));
  return clone(schema, mergeDefs(currDef, { shape: newShape, checks: [] }));
}
function extend(schema, shape) {
  if (!isPlainObject(shape)) {
    throw new Error("Invalid input to extend: expected a plain object");
  }
  const checks = schema._zod.def.checks;
  const hasChecks = checks && checks.length > 0;
  if (hasChecks) {
    const existingShape = sourceShape(schema);
    for (const key2 of Reflect.ownKeys(shape)) {
      if (Object.getOwnPropertyDescriptor(existingShape, key2) !== void 0) {
        throw new Error("Cannot overwrite keys on object schemas containing refinements. Use `.safeExtend()` instead.");
      }
    }
  }
  return clone(schema, mergeDefs(schema._zod.def, { shape: extended(schema, shape) }));
}
function extended(schema, shape) {
  const newShape = {};
  mirrorShape(newShape, schema, Reflect.ownKeys(sourceShape(schema)));
  mirrorProps(newShape, shape);
  return newShape;
}
function safeExtend(schema, shape) {
  if (!isPlainObject(shape)) {
    throw new Error("Invalid input to safeExtend: expected a plain object");
  }
  return clone(schema, mergeDefs(schema._zod.def, { shape: extended(schema, shape) }));
}
function merge(a, b) {
  if (!b?._zod?.def) {
    throw new Error("Invalid input to merge: expected an object schema. To merge a plain shape, use `.extend()`.");
  }
  if (a._zod.def.checks?.length) {
    throw new Error(".merge() cannot be used on object schemas containing refinements. Use .safeExtend() instead.");
  }
  const newShape = {};
  mirrorShape(newShape, a, Reflect.ownKeys(sourceShape(a)));
  mirrorShape(newShape, b, Reflect.ownKeys(sourceShape(b)));
  const def = mergeDefs(a._zod.def, {
    shape: newShape,
    get catchall() {
      return b._zod.def.catchall;
    },
    checks: b._zod.def.checks ?? []
  });
  return clone(a, def);
}
function partial(Class2, schema, mask, name4 = "partial") {
  const currDef = schema._zod.def;
  const checks = currDef.checks;
  const hasChecks = checks && checks.length > 0;
  if (hasChecks) {
    throw new Error(`.${name4}() cannot be used on object schemas containing refinements`);
  }
  const selected = mask ? new Set(maskedKeys(schema, mask)) : void 0;
  const newShape = {};
  mirrorShape(newShape, schema, Reflect.ownKeys(sourceShape(schema)), Class2 && ((value, key2) => selected && !selected.has(key2) ? value : new Class2({ type: "optional", innerType: value })));
  return clone(schema, mergeDefs(schema._zod.def, { shape: newShape, checks: [] }));
}
function required(Class2, schema, mask) {
  const selected = mask ? new Set(maskedKeys(schema, mask)) : void 0;
  const newShape = {};
  mirrorShape(newShape, schema, Reflect.ownKeys(sourceShape(schema)), (value, key2) => (
    // overwrite with non-optional
    selected && !selected.has(key2) ? value : new Class2({ type: "nonoptional", innerType: value })
  ));
  return clone(schema, mergeDefs(schema._zod.def, { shape: newShape }));
}
function aborted(x, startIndex = 0) {
  if (x.aborted === true)
    return true;
  for (let i = startIndex; i < x.issues.length; i++) {
    if (x.issues[i]?.continue !== true) {
      return true;
    }
  }
  return false;
}
function explicitlyAborted(x, startIndex = 0) {
  if (x.aborted === true)
    return true;
  for (let i = startIndex; i < x.issues.length; i++) {
    if (x.issues[i]?.continue === false) {
      return true;
    }
  }
  return false;
}
function prefixIssues(path, issues) {
  return issues.map((iss) => {
    var _a3;
    (_a3 = iss).path ?? (_a3.path = []);
    iss.path.unshift(path);
    return iss;
  });
}
function unwrapMessage(message) {
  return typeof message === "string" ? message : message?.message;
}
function sizeCaps(defChecks) {
  const caps = [];
  for (const ch of defChecks ?? []) {
    const d = ch._zod.def;
    if (!/_(length|size)$|_equals$/.test(d.check))
      break;
    const max = d.maximum ?? d.length ?? d.size;
    if (max >= 0)
      caps.push([max, ch]);
  }
  return caps;
}
function attachSchema(issues, start, inst) {
  var _a3;
  for (let i = start; i < issues.length; i++) {
    (_a3 = issues[i]).schema ?? (_a3.schema = inst);
  }
}
function finalizeIssue(iss, ctx, config2) {
  var _a3;
  const traits = iss.inst?._zod?.traits;
  if (traits?.has("$ZodType")) {
    if (traits.has("$ZodCheck"))
      (_a3 = iss).schema ?? (_a3.schema = iss.inst);
    else
      iss.schema = iss.inst;
  }
  const schemaError = iss.schema !== iss.inst ? iss.schema?._zod.def?.error : void 0;
  const message = iss.message ? iss.message : unwrapMessage(iss.inst?._zod.def?.error?.(iss)) ?? unwrapMessage(schemaError?.(iss)) ?? unwrapMessage(ctx?.error?.(iss)) ?? unwrapMessage(config2.customError?.(iss)) ?? unwrapMessage(config2.localeError?.(iss)) ?? "Invalid input";
  const full = {};
  for (const k of Object.keys(iss)) {
    if (k === "inst" || k === "schema" || k === "continue" || k === "input" || k === "__proto__")
      continue;
    full[k] = iss[k];
  }
  full.path ?? (full.path = []);
  full.message = message;
  if (ctx?.reportInput) {
    full.input = iss.input;
  }
  return full;
}
function getSizableOrigin(input) {
  if (input instanceof Set)
    return "set";
  if (input instanceof Map)
    return "map";
  if (input instanceof File)
    return "file";
  return "unknown";
}
var highSurrogate = /[\uD800-\uDBFF]/;
function codePointLength(str) {
  const units = str.length;
  if (!highSurrogate.test(str))
    return units;
  let count3 = units;
  for (let i = 0; i < units - 1; i++) {
    if ((str.charCodeAt(i) & 64512) === 55296 && (str.charCodeAt(i + 1) & 64512) === 56320) {
      count3--;
      i++;
    }
  }
  return count3;
}
function getLengthableOrigin(input) {
  if (Array.isArray(input))
    return "array";
  if (typeof input === "string")
    return "string";
  return "unknown";
}
function parsedType(data) {
  const t = typeof data;
  switch (t) {
    case "number": {
      return Number.isNaN(data) ? "nan" : "number";
    }
    case "object": {
      if (data === null) {
        return "null";
      }
      if (Array.isArray(data)) {
        return "array";
      }
      const obj = data;
      if (obj && Object.getPrototypeOf(obj) !== Object.prototype && "constructor" in obj && obj.constructor) {
        return obj.constructor.name;
      }
    }
  }
  return t;
}
function issue(...args) {
  const [iss, input, inst] = args;
  if (typeof iss === "string") {
    return {
      message: iss,
      code: "custom",
      input,
      inst
    };
  }
  return { ...iss };
}
function cleanEnum(obj) {
  return Object.entries(obj).filter(([k, _]) => {
    return Number.isNaN(Number.parseInt(k, 10));
  }).map((el) => el[1]);
}
function base64ToUint8Array(base642) {
  const binaryString = atob(base642);
  const bytes = new Uint8Array(binaryString.length);
  for (let i = 0; i < binaryString.length; i++) {
    bytes[i] = binaryString.charCodeAt(i);
  }
  return bytes;
}
function uint8ArrayToBase64(bytes) {
  let binaryString = "";
  for (let i = 0; i < bytes.length; i++) {
    binaryString += String.fromCharCode(bytes[i]);
  }
  return btoa(binaryString);
}
function base64urlToUint8Array(base64url2) {
  const base642 = base64url2.replace(/-/g, "+").replace(/_/g, "/");
  const padding = "=".repeat((4 - base642.length % 4) % 4);
  return base64ToUint8Array(base642 + padding);
}
function uint8ArrayToBase64url(bytes) {
  return uint8ArrayToBase64(bytes).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
}
function hexToUint8Array(hex) {
  const cleanHex = hex.replace(/^0x/, "");
  if (cleanHex.length % 2 !== 0) {
    throw new Error("Invalid hex string length");
  }
  const bytes = new Uint8Array(cleanHex.length / 2);
  for (let i = 0; i < cleanHex.length; i += 2) {
    bytes[i / 2] = Number.parseInt(cleanHex.slice(i, i + 2), 16);
  }
  return bytes;
}
function uint8ArrayToHex(bytes) {
  return Array.from(bytes).map((b) => b.toString(16).padStart(2, "0")).join("");
}
var Class = class {
  constructor(..._args) {
  }
};
function members(proto, table3) {
  for (const key2 in table3) {
    const desc2 = Object.getOwnPropertyDescriptor(table3, key2);
    if (desc2.get)
      Object.defineProperty(proto, key2, { ...desc2, enumerable: false });
    else
      defineBound(proto, key2, desc2.value);
  }
}
function own(inst, key2, value, enumerable = true) {
  Object.defineProperty(inst, key2, { configurable: true, writable: true, enumerable, value });
  return value;
}
function hide(inst, key2, value) {
  return own(inst, key2, value, false);
}
// @__NO_SIDE_EFFECTS__
function derived(computes, table3) {
  for (const key2 in computes) {
    const compute = computes[key2];
    Object.defineProperty(table3, key2, {
      configurable: true,
      enumerable: true,
      get() {
        return own(this, key2, compute(this));
      },
      set(value) {
        own(this, key2, value);
      }
    });
  }
  return table3;
}
function defineBound(proto, key2, fn) {
  Object.defineProperty(proto, key2, {
    configurable: true,
    get() {
      return this == null ? fn : own(this, key2, fn.bind(this));
    },
    set(value) {
      own(this, key2, value);
    }
  });
}
function claim(inst, sentinel) {
  const proto = Object.getPrototypeOf(inst);
  return sentinel in proto ? void 0 : proto;
}
var installing;
var broke = false;
var breaker = {
  configurable: true,
  get() {
    broke = true;
    return void 0;
  }
};
function defineLazyInternal(inst, key2, compute) {
  const proto = Object.getPrototypeOf(inst._zod);
  if (key2 in proto && installing !== inst._zod) {
    installing = void 0;
    return;
  }
  installing = inst._zod;
  Object.defineProperty(proto, key2, {
    configurable: true,
    get() {
      Object.defineProperty(this, key2, breaker);
      const outer = broke;
      broke = false;
      try {
        const value = compute(this);
        if (broke)
          delete this[key2];
        else
          Object.defineProperty(this, key2, { configurable: true, writable: true, value });
        broke = broke || outer;
        return value;
      } catch (err) {
        delete this[key2];
        broke = broke || outer;
        throw err;
      }
    },
    set(value) {
      Object.defineProperty(this, key2, { configurable: true, writable: true, value });
    }
  });
}
function installLazyProp(inst, key2, make, enumerable) {
  const proto = claim(inst, key2);
  if (!proto)
    return;
  Object.defineProperty(proto, key2, {
    configurable: true,
    get() {
      const desc2 = { configurable: true, writable: true, enumerable, value: void 0 };
      Object.defineProperty(this, key2, desc2);
      desc2.value = make(this);
      Object.defineProperty(this, key2, desc2);
      return desc2.value;
    },
    set(value) {
      Object.defineProperty(this, key2, { configurable: true, writable: true, enumerable, value });
    }
  });
}
var CONSTANT_CATCH = "~constantCatch";
function constantCatch(value) {
  const fn = () => value;
  fn[CONSTANT_CATCH] = true;
  return fn;
}

// node_modules/zod/v4/core/core.js
var _a;
var NEVER = /* @__PURE__ */ Object.freeze({
  status: "aborted"
});
var _zodDesc = { value: void 0, enumerable: false };
var _E = "captureStackTrace" in Error ? Error : null;
function newError(Definition) {
  const E = _E;
  if (E) {
    const saved = E.stackTraceLimit;
    if (typeof saved === "number") {
      try {
        E.stackTraceLimit = 0;
      } catch {
        _E = null;
        return new Definition();
      }
      try {
        return new Definition();
      } finally {
        E.stackTraceLimit = saved;
      }
    }
  }
  return new Definition();
}
// @__NO_SIDE_EFFECTS__
function $constructor(name4, initializer3, proto, params) {
  const zodProto = {};
  function Internals(def) {
    this.def = def;
    this.constr = _;
    this.traits = /* @__PURE__ */ new Set();
  }
  Internals.prototype = zodProto;
  const protoMembers = proto;
  const initialized = protoMembers && /* @__PURE__ */ new WeakSet();
  function init(inst, def) {
    if (!inst._zod) {
      _zodDesc.value = new Internals(def);
      try {
        Object.defineProperty(inst, "_zod", _zodDesc);
      } finally {
        _zodDesc.value = void 0;
      }
    } else if (inst._zod.traits.has(name4)) {
      return;
    }
    inst._zod.traits.add(name4);
    initializer3(inst, def);
    if (initialized) {
      const own2 = Object.getPrototypeOf(inst);
      const ctorProto = inst._zod.constr.prototype;
      let up = own2;
      while (up && up !== ctorProto)
        up = Object.getPrototypeOf(up);
      const target = up ?? own2;
      if (!initialized.has(target)) {
        initialized.add(target);
        members(target, protoMembers);
      }
    }
    const proto2 = _.prototype;
    for (const k in proto2) {
      if (!Object.prototype.hasOwnProperty.call(proto2, k))
        continue;
      if (!(k in inst)) {
        inst[k] = proto2[k].bind(inst);
      }
    }
  }
  const Parent = params?.Parent ?? Object;
  class Definition extends Parent {
  }
  Object.defineProperty(Definition, "name", { value: name4 });
  function _(def) {
    const inst = params?.Parent ? newError(Definition) : this;
    init(inst, def);
    const deferred = inst._zod.deferred;
    if (deferred) {
      for (const fn of deferred) {
        fn();
      }
      inst._zod.deferred = void 0;
    }
    const pp = globalThis.__zod_globalConfig?.postProcessor;
    if (pp)
      pp(inst);
    return inst;
  }
  Object.defineProperty(_, "init", { value: init });
  Object.defineProperty(_, Symbol.hasInstance, {
    value: (inst) => {
      if (params?.Parent && inst instanceof params.Parent)
        return true;
      return inst?._zod?.traits?.has(name4);
    }
  });
  Object.defineProperty(_, "name", { value: name4 });
  return _;
}
var $ZodAsyncError = class extends Error {
  constructor() {
    super(`Encountered Promise during synchronous parse. Use .parseAsync() instead.`);
  }
};
var $ZodEncodeError = class extends Error {
  constructor(name4) {
    super(`Encountered unidirectional transform during encode: ${name4}`);
    this.name = "ZodEncodeError";
  }
};
(_a = globalThis).__zod_globalConfig ?? (_a.__zod_globalConfig = {});
var globalConfig = globalThis.__zod_globalConfig;
function config(newConfig) {
  if (newConfig)
    Object.assign(globalConfig, newConfig);
  return globalConfig;
}

// node_modules/zod/v4/core/errors.js
function _getMessage() {
  const internals = this._zod;
  internals.message ?? (internals.message = JSON.stringify(internals.def, jsonStringifyReplacer, 2));
  return internals.message;
}
function _setMessage(value) {
  this._zod.message = value;
}
var _messageDesc = {
  get: _getMessage,
  set: _setMessage,
  enumerable: true,
  configurable: true
};
var _issuesDesc = { value: void 0, enumerable: false };
var _installedToString = /* @__PURE__ */ new WeakSet([Object.prototype, Error.prototype]);
var initializer = (inst, def) => {
  inst.name = "$ZodError";
  _issuesDesc.value = def;
  Object.defineProperty(inst, "issues", _issuesDesc);
  _issuesDesc.value = void 0;
  Object.defineProperty(inst, "message", _messageDesc);
  const proto = Object.getPrototypeOf(inst);
  if (!_installedToString.has(proto)) {
    _installedToString.add(proto);
    Object.defineProperty(proto, "toString", {
      configurable: true,
      enumerable: false,
      get() {
        const value = () => this.message;
        Object.defineProperty(this, "toString", { value, configurable: true, writable: true });
        return value;
      },
      set(value) {
        Object.defineProperty(this, "toString", { value, configurable: true, writable: true });
      }
    });
  }
};
var $ZodError = $constructor("$ZodError", initializer);
var $ZodRealError = $constructor("$ZodError", initializer, void 0, {
  Parent: Error
});
function node(obj, key2, make) {
  if (!Object.prototype.hasOwnProperty.call(obj, key2)) {
    if (key2 === "__proto__") {
      Object.defineProperty(obj, key2, { value: make(), writable: true, enumerable: true, configurable: true });
    } else {
      obj[key2] = make();
    }
  }
  return obj[key2];
}
function flattenError(error2, mapper = (issue2) => issue2.message) {
  const fieldErrors = {};
  const formErrors = [];
  for (const sub of error2.issues) {
    if (sub.path.length > 0) {
      node(fieldErrors, sub.path[0], () => []).push(mapper(sub));
    } else {
      formErrors.push(mapper(sub));
    }
  }
  return { formErrors, fieldErrors };
}
function formatError(error2, mapper = (issue2) => issue2.message) {
  const fieldErrors = { _errors: [] };
  const processError = (error3, path = []) => {
    for (const issue2 of error3.issues) {
      if (issue2.code === "invalid_union" && issue2.errors.length) {
        issue2.errors.map((issues) => processError({ issues }, [...path, ...issue2.path]));
      } else if (issue2.code === "invalid_key") {
        processError({ issues: issue2.issues }, [...path, ...issue2.path]);
      } else if (issue2.code === "invalid_element") {
        processError({ issues: issue2.issues }, [...path, ...issue2.path]);
      } else {
        const fullpath = [...path, ...issue2.path];
        if (fullpath.length === 0) {
          fieldErrors._errors.push(mapper(issue2));
        } else {
          let curr = fieldErrors;
          let i = 0;
          while (i < fullpath.length) {
            const el = fullpath[i];
            const terminal = i === fullpath.length - 1;
            if (el === "_errors") {
              if (terminal)
                curr._errors.push(mapper(issue2));
              i++;
              continue;
            }
            if (!Object.prototype.hasOwnProperty.call(curr, el)) {
              Object.defineProperty(curr, el, {
                value: { _errors: [] },
                enumerable: true,
                writable: true,
                configurable: true
              });
            }
            const node2 = curr[el];
            if (terminal) {
              node2._errors.push(mapper(issue2));
            }
            curr = node2;
            i++;
          }
        }
      }
    }
  };
  processError(error2);
  return fieldErrors;
}
function toDotPath(_path) {
  const segs = [];
  const path = _path.map((seg) => typeof seg === "object" ? seg.key : seg);
  for (const seg of path) {
    if (typeof seg === "number")
      segs.push(`[${seg}]`);
    else if (typeof seg === "symbol")
      segs.push(`[${JSON.stringify(String(seg))}]`);
    else if (/[^\w$]/.test(seg))
      segs.push(`[${JSON.stringify(seg)}]`);
    else {
      if (segs.length)
        segs.push(".");
      segs.push(seg);
    }
  }
  return segs.join("");
}
function prettifyError(error2) {
  const lines2 = [];
  const issues = [...error2.issues].sort((a, b) => (a.path ?? []).length - (b.path ?? []).length);
  for (const issue2 of issues) {
    lines2.push(`\u2716 ${issue2.message}`);
    if (issue2.path?.length)
      lines2.push(`  \u2192 at ${toDotPath(issue2.path)}`);
  }
  return lines2.join("\n");
}

// node_modules/zod/v4/core/parse.js
function finalizeParams(callee, params) {
  return { callee: params?.callee ?? callee, Err: params?.Err };
}
var _parse = (_Err) => {
  const fn = (schema, value, _ctx, _params) => {
    const ctx = _ctx ? { ..._ctx, async: false } : { async: false };
    const result = schema._zod.run({ value, issues: [] }, ctx);
    if (result instanceof Promise) {
      throw new $ZodAsyncError();
    }
    if (result.issues.length) {
      const e = new (_params?.Err ?? _Err)(result.issues.map((iss) => finalizeIssue(iss, ctx, config())));
      captureStackTrace(e, _params?.callee ?? fn);
      throw e;
    }
    return result.value;
  };
  return fn;
};
var _parseAsync = (_Err) => {
  const fn = async (schema, value, _ctx, params) => {
    const ctx = _ctx ? { ..._ctx, async: true } : { async: true };
    let result = schema._zod.run({ value, issues: [] }, ctx);
    if (result instanceof Promise)
      result = await result;
    if (result.issues.length) {
      const e = new (params?.Err ?? _Err)(result.issues.map((iss) => finalizeIssue(iss, ctx, config())));
      captureStackTrace(e, params?.callee ?? fn);
      throw e;
    }
    return result.value;
  };
  return fn;
};
var _safeParse = (_Err) => (schema, value, _ctx) => {
  const ctx = _ctx ? { ..._ctx, async: false } : { async: false };
  const result = schema._zod.run({ value, issues: [] }, ctx);
  if (result instanceof Promise) {
    throw new $ZodAsyncError();
  }
  return result.issues.length ? failure(_Err, result.issues, ctx) : { success: true, data: result.value };
};
function failure(Err, issues, ctx) {
  let error2;
  return {
    success: false,
    get error() {
      if (!error2) {
        error2 = new Err(issues.map((iss) => finalizeIssue(iss, ctx, config())));
        issues = void 0;
        ctx = void 0;
      }
      return error2;
    },
    set error(e) {
      error2 = e;
      issues = void 0;
      ctx = void 0;
    }
  };
}
var _safeParseAsync = (_Err) => async (schema, value, _ctx) => {
  const ctx = _ctx ? { ..._ctx, async: true } : { async: true };
  let result = schema._zod.run({ value, issues: [] }, ctx);
  if (result instanceof Promise)
    result = await result;
  return result.issues.length ? failure(_Err, result.issues, ctx) : { success: true, data: result.value };
};
var COMPILE_INVALID = /* @__PURE__ */ Symbol.for("zod.compile.invalid");
var COMPILE_FALLBACK = /* @__PURE__ */ Symbol.for("zod.compile.fallback");
var validate = ((schema, value, _ctx) => {
  const validator = schema._zod.bag.validator;
  if (validator !== void 0) {
    if (validator(value) !== COMPILE_INVALID)
      return true;
    if (validator.definite === true && _ctx === void 0)
      return false;
  }
  return validateFallback(schema, value, _ctx);
});
function validateFallback(schema, value, _ctx) {
  const ctx = _ctx ? { ..._ctx, async: false, abortEarly: true } : { async: false, abortEarly: true };
  const fallbackRun = schema._zod.bag.fallbackRun;
  let result;
  if (fallbackRun) {
    ctx[COMPILE_FALLBACK] = true;
    result = fallbackRun({ value, issues: [] }, ctx);
  } else {
    result = schema._zod.run({ value, issues: [] }, ctx);
  }
  if (result instanceof Promise) {
    throw new $ZodAsyncError();
  }
  return result.issues.length === 0;
}
var validateAsync = async (schema, value, _ctx) => {
  const ctx = _ctx ? { ..._ctx, async: true, abortEarly: true } : { async: true, abortEarly: true };
  let result = schema._zod.run({ value, issues: [] }, ctx);
  if (result instanceof Promise)
    result = await result;
  return result.issues.length === 0;
};
var _encode = (_Err) => {
  const parse7 = _parse(_Err);
  const fn = (schema, value, _ctx, _params) => {
    const ctx = _ctx ? { ..._ctx, direction: "backward" } : { direction: "backward" };
    return parse7(schema, value, ctx, finalizeParams(fn, _params));
  };
  return fn;
};
var _decode = (_Err) => {
  const parse7 = _parse(_Err);
  const fn = (schema, value, _ctx, _params) => {
    return parse7(schema, value, _ctx, finalizeParams(fn, _params));
  };
  return fn;
};
var _encodeAsync = (_Err) => {
  const parseAsync2 = _parseAsync(_Err);
  const fn = async (schema, value, _ctx, _params) => {
    const ctx = _ctx ? { ..._ctx, direction: "backward" } : { direction: "backward" };
    return await parseAsync2(schema, value, ctx, finalizeParams(fn, _params));
  };
  return fn;
};
var _decodeAsync = (_Err) => {
  const parseAsync2 = _parseAsync(_Err);
  const fn = async (schema, value, _ctx, _params) => {
    return await parseAsync2(schema, value, _ctx, finalizeParams(fn, _params));
  };
  return fn;
};
var _safeEncode = (_Err) => (schema, value, _ctx) => {
  const ctx = _ctx ? { ..._ctx, direction: "backward" } : { direction: "backward" };
  return _safeParse(_Err)(schema, value, ctx);
};
var _safeDecode = (_Err) => (schema, value, _ctx) => {
  return _safeParse(_Err)(schema, value, _ctx);
};
var _safeEncodeAsync = (_Err) => async (schema, value, _ctx) => {
  const ctx = _ctx ? { ..._ctx, direction: "backward" } : { direction: "backward" };
  return _safeParseAsync(_Err)(schema, value, ctx);
};
var _safeDecodeAsync = (_Err) => async (schema, value, _ctx) => {
  return _safeParseAsync(_Err)(schema, value, _ctx);
};

// node_modules/zod/v4/core/regexes.js
var cuid = /^[cC][0-9a-z]{6,}$/;
var cuid2 = /^[0-9a-z]+$/;
var ulid = /^[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}$/;
var xid = /^[0-9a-vA-V]{20}$/;
var ksuid = /^[A-Za-z0-9]{27}$/;
var nanoid = /^[a-zA-Z0-9_-]{21}$/;
function nanoidOfLength(length) {
  return new RegExp(`^[a-zA-Z0-9_-]{${length}}$`);
}
var duration = /^P(?:(\d+W)|(?!.*W)(?=\d|T\d)(\d+Y)?(\d+M)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+([.,]\d+)?S)?)?)$/;
var guid = /^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$/;
var uuid = (version2) => {
  if (!version2)
    return /^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}|00000000-0000-0000-0000-000000000000|ffffffff-ffff-ffff-ffff-ffffffffffff)$/;
  return new RegExp(`^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-${version2}[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12})$`);
};
var email = /^(?:[A-Za-z0-9_'+\-]+\.)*[A-Za-z0-9_'+\-]*[A-Za-z0-9_+-]@(?:[A-Za-z0-9][A-Za-z0-9\-]*\.)+[A-Za-z]{2,}$/;
var _emoji = `^(?=[\\s\\S]*[\\p{Extended_Pictographic}\\p{Regional_Indicator}\\u20E3])[\\p{Extended_Pictographic}\\p{Emoji_Component}]+$`;
function emoji() {
  return new RegExp(_emoji, "u");
}
var ipv4 = /^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9][0-9]|[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9][0-9]|[0-9])$/;
var ipv6 = /^(([0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}|([0-9a-fA-F]{1,4}:){1,7}:|([0-9a-fA-F]{1,4}:){1,6}:[0-9a-fA-F]{1,4}|([0-9a-fA-F]{1,4}:){1,5}(:[0-9a-fA-F]{1,4}){1,2}|([0-9a-fA-F]{1,4}:){1,4}(:[0-9a-fA-F]{1,4}){1,3}|([0-9a-fA-F]{1,4}:){1,3}(:[0-9a-fA-F]{1,4}){1,4}|([0-9a-fA-F]{1,4}:){1,2}(:[0-9a-fA-F]{1,4}){1,5}|[0-9a-fA-F]{1,4}:((:[0-9a-fA-F]{1,4}){1,6})|:((:[0-9a-fA-F]{1,4}){1,7}|:))$/;
var cidrv4 = /^((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9][0-9]|[0-9])\.){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9][0-9]|[0-9])\/([0-9]|[1-2][0-9]|3[0-2])$/;
var cidrv6 = /^(([0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}|([0-9a-fA-F]{1,4}:){1,7}:|([0-9a-fA-F]{1,4}:){1,6}:[0-9a-fA-F]{1,4}|([0-9a-fA-F]{1,4}:){1,5}(:[0-9a-fA-F]{1,4}){1,2}|([0-9a-fA-F]{1,4}:){1,4}(:[0-9a-fA-F]{1,4}){1,3}|([0-9a-fA-F]{1,4}:){1,3}(:[0-9a-fA-F]{1,4}){1,4}|([0-9a-fA-F]{1,4}:){1,2}(:[0-9a-fA-F]{1,4}){1,5}|[0-9a-fA-F]{1,4}:((:[0-9a-fA-F]{1,4}){1,6})|:((:[0-9a-fA-F]{1,4}){1,7}|:))\/(12[0-8]|1[01][0-9]|[1-9]?[0-9])$/;
var base64 = /^$|^(?:[0-9a-zA-Z+/]{4})*(?:(?:[0-9a-zA-Z+/]{2}==)|(?:[0-9a-zA-Z+/]{3}=))?$/;
var base64url = /^(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2,3})?$/;
var httpProtocol = /^https?$/;
var e164 = /^\+[1-9]\d{6,14}$/;
var dateSource = `(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|(?:02)-(?:0[1-9]|1\\d|2[0-8])))`;
function anchor(source) {
  return new RegExp(`^${source}$`);
}
var date = /* @__PURE__ */ anchor(dateSource);
function timeSource(args) {
  const hhmm = `(?:[01]\\d|2[0-3]):[0-5]\\d`;
  const regex = typeof args.precision === "number" ? args.precision === -1 ? `${hhmm}` : args.precision === 0 ? `${hhmm}:[0-5]\\d` : `${hhmm}:[0-5]\\d\\.\\d{${args.precision}}` : args.seconds ? `${hhmm}:[0-5]\\d(?:\\.\\d+)?` : `${hhmm}(?::[0-5]\\d(?:\\.\\d+)?)?`;
  return regex;
}
function time(args) {
  return new RegExp(`^${timeSource(args)}$`);
}
function datetime(args) {
  const opts = ["Z"];
  if (args.offset)
    opts.push(`([+-](?:[01]\\d|2[0-3]):[0-5]\\d)`);
  const qualified = `${timeSource({ precision: args.precision, seconds: true })}(?:${opts.join("|")})`;
  const timeRegex = args.local ? `${qualified}|${timeSource({ precision: args.precision })}` : qualified;
  return new RegExp(`^${dateSource}T(?:${timeRegex})$`);
}
var anyString = /^[\s\S]{0,}$/;
var bigint = /^-?\d+n?$/;
var integer = /^-?\d+$/;
var number = /^-?\d+(?:\.\d+)?$/;
var boolean = /^(?:true|false)$/i;
var lowercase = /^[^A-Z]*$/;
var uppercase = /^[^a-z]*$/;

// node_modules/zod/v4/core/checks.js
var $ZodCheck = /* @__PURE__ */ $constructor("$ZodCheck", (inst, def) => {
  var _a3;
  inst._zod ?? (inst._zod = {});
  inst._zod.def = def;
  (_a3 = inst._zod).onattach ?? (_a3.onattach = []);
});
var _whenHasLength = (payload) => {
  const val = payload.value;
  return !nullish(val) && val.length !== void 0;
};
var numericOriginMap = {
  number: "number",
  bigint: "bigint",
  object: "date"
};
var $ZodCheckLessThan = /* @__PURE__ */ $constructor("$ZodCheckLessThan", (inst, def) => {
  $ZodCheck.init(inst, def);
  const origin = numericOriginMap[typeof def.value];
  inst._zod.check = (payload) => {
    if (def.inclusive ? payload.value <= def.value : payload.value < def.value) {
      return;
    }
    payload.issues.push({
      origin: numericOriginMap[typeof payload.value] ?? origin,
      code: "too_big",
      maximum: typeof def.value === "object" ? def.value.getTime() : def.value,
      input: payload.value,
      inclusive: def.inclusive,
      inst,
      continue: !def.abort
    });
  };
});
var $ZodCheckGreaterThan = /* @__PURE__ */ $constructor("$ZodCheckGreaterThan", (inst, def) => {
  $ZodCheck.init(inst, def);
  const origin = numericOriginMap[typeof def.value];
  inst._zod.check = (payload) => {
    if (def.inclusive ? payload.value >= def.value : payload.value > def.value) {
      return;
    }
    payload.issues.push({
      origin: numericOriginMap[typeof payload.value] ?? origin,
      code: "too_small",
      minimum: typeof def.value === "object" ? def.value.getTime() : def.value,
      input: payload.value,
      inclusive: def.inclusive,
      inst,
      continue: !def.abort
    });
  };
});
var $ZodCheckMultipleOf = /* @__PURE__ */ $constructor("$ZodCheckMultipleOf", (inst, def) => {
  $ZodCheck.init(inst, def);
  inst._zod.check = (payload) => {
    if (typeof payload.value !== typeof def.value)
      throw new Error("Cannot mix number and bigint in multiple_of check.");
    const isMultiple = typeof payload.value === "bigint" ? (
      // `value % 0n` throws, and nothing is a multiple of zero — the number branch already fails this way via NaN
      def.value !== BigInt(0) && payload.value % def.value === BigInt(0)
    ) : floatSafeRemainder(payload.value, def.value) === 0;
    if (isMultiple)
      return;
    payload.issues.push({
      origin: typeof payload.value,
      code: "not_multiple_of",
      divisor: def.value,
      input: payload.value,
      inst,
      continue: !def.abort
    });
  };
});
var $ZodCheckNumberFormat = /* @__PURE__ */ $constructor("$ZodCheckNumberFormat", (inst, def) => {
  $ZodCheck.init(inst, def);
  def.format = def.format || "float64";
  const isInt = def.format?.includes("int");
  const origin = isInt ? "int" : "number";
  const [minimum, maximum] = NUMBER_FORMAT_RANGES[def.format];
  inst._zod.check = (payload) => {
    const input = payload.value;
    if (isInt) {
      if (!Number.isInteger(input)) {
        payload.issues.push({
          expected: origin,
          format: def.format,
          code: "invalid_type",
          continue: false,
          input,
          inst
        });
        return;
      }
      if (!Number.isSafeInteger(input)) {
        if (input > 0) {
          payload.issues.push({
            input,
            code: "too_big",
            maximum: Number.MAX_SAFE_INTEGER,
            note: "Integers must be within the safe integer range.",
            inst,
            origin,
            inclusive: true,
            continue: !def.abort
          });
        } else {
          payload.issues.push({
            input,
            code: "too_small",
            minimum: Number.MIN_SAFE_INTEGER,
            note: "Integers must be within the safe integer range.",
            inst,
            origin,
            inclusive: true,
            continue: !def.abort
          });
        }
        return;
      }
    }
    if (input < minimum) {
      payload.issues.push({
        origin: "number",
        input,
        code: "too_small",
        minimum,
        inclusive: true,
        inst,
        continue: !def.abort
      });
    }
    if (input > maximum) {
      payload.issues.push({
        origin: "number",
        input,
        code: "too_big",
        maximum,
        inclusive: true,
        inst,
        continue: !def.abort
      });
    }
  };
});
var $ZodCheckMaxLength = /* @__PURE__ */ $constructor("$ZodCheckMaxLength", (inst, def) => {
  var _a3;
  $ZodCheck.init(inst, def);
  (_a3 = inst._zod.def).when ?? (_a3.when = _whenHasLength);
  inst._zod.check = (payload) => {
    const input = payload.value;
    const units = input.length;
    const length = typeof input === "string" && units > def.maximum ? codePointLength(input) : units;
    if (length <= def.maximum)
      return;
    const origin = getLengthableOrigin(input);
    payload.issues.push({
      origin,
      code: "too_big",
      maximum: def.maximum,
      inclusive: true,
      input,
      inst,
      continue: !def.abort
    });
  };
});
var $ZodCheckMinLength = /* @__PURE__ */ $constructor("$ZodCheckMinLength", (inst, def) => {
  var _a3;
  $ZodCheck.init(inst, def);
  (_a3 = inst._zod.def).when ?? (_a3.when = _whenHasLength);
  inst._zod.check = (payload) => {
    const input = payload.value;
    const units = input.length;
    const length = typeof input === "string" && units >= def.minimum && units < def.minimum * 2 ? codePointLength(input) : units;
    if (length >= def.minimum)
      return;
    const origin = getLengthableOrigin(input);
    payload.issues.push({
      origin,
      code: "too_small",
      minimum: def.minimum,
      inclusive: true,
      input,
      inst,
      continue: !def.abort
    });
  };
});
var $ZodCheckLengthEquals = /* @__PURE__ */ $constructor("$ZodCheckLengthEquals", (inst, def) => {
  var _a3;
  $ZodCheck.init(inst, def);
  (_a3 = inst._zod.def).when ?? (_a3.when = _whenHasLength);
  inst._zod.check = (payload) => {
    const input = payload.value;
    const units = input.length;
    const length = typeof input === "string" && units >= def.length && units <= def.length * 2 ? codePointLength(input) : units;
    if (length === def.length)
      return;
    const origin = getLengthableOrigin(input);
    const tooBig = length > def.length;
    payload.issues.push({
      origin,
      ...tooBig ? { code: "too_big", maximum: def.length } : { code: "too_small", minimum: def.length },
      inclusive: true,
      exact: true,
      input: payload.value,
      inst,
      continue: !def.abort
    });
  };
});
var $ZodCheckStringFormat = /* @__PURE__ */ $constructor("$ZodCheckStringFormat", (inst, def) => {
  var _a3, _b;
  $ZodCheck.init(inst, def);
  if (def.pattern)
    (_a3 = inst._zod).check ?? (_a3.check = (payload) => {
      def.pattern.lastIndex = 0;
      if (def.pattern.test(payload.value))
        return;
      payload.issues.push({
        origin: "string",
        code: "invalid_format",
        format: def.format,
        input: payload.value,
        ...def.pattern ? { pattern: def.pattern.toString() } : {},
        inst,
        continue: !def.abort
      });
    });
  else
    (_b = inst._zod).check ?? (_b.check = () => {
    });
});
var $ZodCheckRegex = /* @__PURE__ */ $constructor("$ZodCheckRegex", (inst, def) => {
  $ZodCheckStringFormat.init(inst, def);
  inst._zod.check = (payload) => {
    def.pattern.lastIndex = 0;
    if (def.pattern.test(payload.value))
      return;
    payload.issues.push({
      origin: "string",
      code: "invalid_format",
      format: "regex",
      input: payload.value,
      pattern: def.pattern.toString(),
      inst,
      continue: !def.abort
    });
  };
});
var $ZodCheckLowerCase = /* @__PURE__ */ $constructor("$ZodCheckLowerCase", (inst, def) => {
  def.pattern ?? (def.pattern = lowercase);
  $ZodCheckStringFormat.init(inst, def);
});
var $ZodCheckUpperCase = /* @__PURE__ */ $constructor("$ZodCheckUpperCase", (inst, def) => {
  def.pattern ?? (def.pattern = uppercase);
  $ZodCheckStringFormat.init(inst, def);
});
var $ZodCheckIncludes = /* @__PURE__ */ $constructor("$ZodCheckIncludes", (inst, def) => {
  $ZodCheck.init(inst, def);
  const escapedRegex = escapeRegex(def.includes);
  const pattern = new RegExp(typeof def.position === "number" ? `^.{${def.position},}${escapedRegex}` : escapedRegex);
  def.pattern = pattern;
  inst._zod.check = (payload) => {
    if (payload.value.includes(def.includes, def.position))
      return;
    payload.issues.push({
      origin: "string",
      code: "invalid_format",
      format: "includes",
      includes: def.includes,
      input: payload.value,
      inst,
      continue: !def.abort
    });
  };
});
var $ZodCheckStartsWith = /* @__PURE__ */ $constructor("$ZodCheckStartsWith", (inst, def) => {
  $ZodCheck.init(inst, def);
  const pattern = new RegExp(`^${escapeRegex(def.prefix)}.*`);
  def.pattern ?? (def.pattern = pattern);
  inst._zod.check = (payload) => {
    if (payload.value.startsWith(def.prefix))
      return;
    payload.issues.push({
      origin: "string",
      code: "invalid_format",
      format: "starts_with",
      prefix: def.prefix,
      input: payload.value,
      inst,
      continue: !def.abort
    });
  };
});
var $ZodCheckEndsWith = /* @__PURE__ */ $constructor("$ZodCheckEndsWith", (inst, def) => {
  $ZodCheck.init(inst, def);
  const pattern = new RegExp(`.*${escapeRegex(def.suffix)}$`);
  def.pattern ?? (def.pattern = pattern);
  inst._zod.check = (payload) => {
    if (payload.value.endsWith(def.suffix))
      return;
    payload.issues.push({
      origin: "string",
      code: "invalid_format",
      format: "ends_with",
      suffix: def.suffix,
      input: payload.value,
      inst,
      continue: !def.abort
    });
  };
});
var $ZodCheckOverwrite = /* @__PURE__ */ $constructor("$ZodCheckOverwrite", (inst, def) => {
  $ZodCheck.init(inst, def);
  inst._zod.check = (payload) => {
    payload.value = def.tx(payload.value);
  };
});

// node_modules/zod/v4/core/doc.js
var Doc = class {
  constructor(args = [], closed = {}) {
    this.content = [];
    this.indent = 0;
    this.args = args;
    this.closed = closed;
  }
  // the compiler catches a child's throw and keeps writing into this doc, so the indent has to unwind with it
  indented(fn) {
    this.indent += 1;
    try {
      fn(this);
    } finally {
      this.indent -= 1;
    }
  }
  write(arg) {
    if (typeof arg === "function") {
      arg(this, { execution: "sync" });
      arg(this, { execution: "async" });
      return;
    }
    const content = arg;
    const lines2 = content.split("\n").filter((x) => x);
    const minIndent = Math.min(...lines2.map((x) => x.length - x.trimStart().length));
    const dedented = lines2.map((x) => x.slice(minIndent)).map((x) => " ".repeat(this.indent * 2) + x);
    for (const line of dedented) {
      this.content.push(line);
    }
  }
  compile() {
    const F = Function;
    const content = this?.content ?? [``];
    const factory = new F(...Object.keys(this.closed), `return function (${this.args.join(", ")}) {
${content.join("\n")}
};`);
    return factory(...Object.values(this.closed));
  }
};

// node_modules/zod/v4/core/versions.js
var version = {
  major: 4,
  minor: 6,
  patch: 7
};

// node_modules/zod/v4/core/schemas.js
var $ZodType = /* @__PURE__ */ $constructor("$ZodType", (inst, def) => {
  var _a3;
  inst ?? (inst = {});
  inst._zod.def = def;
  inst._zod.bag = inst._zod.bag || {};
  inst._zod.version = version;
  const defChecks = inst._zod.def.checks;
  const checks = inst._zod.traits.has("$ZodCheck") ? [inst, ...defChecks ?? []] : defChecks?.length ? [...defChecks] : [];
  for (const ch of checks) {
    for (const fn of ch._zod.onattach) {
      fn(inst);
    }
  }
  if (checks.length === 0) {
    (_a3 = inst._zod).deferred ?? (_a3.deferred = []);
    inst._zod.deferred?.push(() => {
      inst._zod.run = inst._zod.parse;
    });
  } else {
    const runChecks = (payload, checks2, ctx) => {
      if (payload.memo)
        return payload;
      let isAborted = aborted(payload);
      let asyncResult;
      for (const ch of checks2) {
        if (ch._zod.def.when) {
          if (explicitlyAborted(payload))
            continue;
          const shouldRun = ch._zod.def.when(payload);
          if (!shouldRun)
            continue;
        } else if (isAborted) {
          continue;
        }
        const currLen = payload.issues.length;
        const _ = ch._zod.check(payload);
        if (_ instanceof Promise && ctx?.async === false) {
          throw new $ZodAsyncError();
        }
        if (asyncResult || _ instanceof Promise) {
          asyncResult = (asyncResult ?? Promise.resolve()).then(async () => {
            await _;
            const nextLen = payload.issues.length;
            if (nextLen === currLen)
              return;
            attachSchema(payload.issues, currLen, inst);
            if (!isAborted)
              isAborted = aborted(payload, currLen);
          });
        } else {
          const nextLen = payload.issues.length;
          if (nextLen === currLen)
            continue;
          attachSchema(payload.issues, currLen, inst);
          if (!isAborted)
            isAborted = aborted(payload, currLen);
        }
      }
      if (asyncResult) {
        return asyncResult.then(() => {
          return payload;
        });
      }
      return payload;
    };
    const handleCanaryResult = (canary, payload, ctx) => {
      if (aborted(canary)) {
        canary.aborted = true;
        return canary;
      }
      const checkResult = runChecks(payload, checks, ctx);
      if (checkResult instanceof Promise) {
        if (ctx.async === false)
          throw new $ZodAsyncError();
        return checkResult.then((checkResult2) => inst._zod.parse(checkResult2, ctx));
      }
      return inst._zod.parse(checkResult, ctx);
    };
    inst._zod.run = (payload, ctx) => {
      if (ctx.skipChecks) {
        return inst._zod.parse(payload, ctx);
      }
      if (ctx.direction === "backward") {
        const canary = inst._zod.parse({ value: payload.value, issues: [] }, { ...ctx, skipChecks: true });
        if (canary instanceof Promise) {
          return canary.then((canary2) => {
            return handleCanaryResult(canary2, payload, ctx);
          });
        }
        return handleCanaryResult(canary, payload, ctx);
      }
      const result = inst._zod.parse(payload, ctx);
      if (result instanceof Promise) {
        if (ctx.async === false)
          throw new $ZodAsyncError();
        return result.then((result2) => runChecks(result2, checks, ctx));
      }
      return runChecks(result, checks, ctx);
    };
  }
}, {
  // Wrappers extend this by installing a richer factory over it; reading it eagerly would defeat the laziness.
  get "~standard"() {
    return hide(this, "~standard", standardProps(this));
  },
  set "~standard"(value) {
    own(this, "~standard", value);
  }
});
var toStandardResult = (r, ctx) => r.issues.length ? { issues: r.issues.map((iss) => finalizeIssue(iss, ctx, config())) } : { value: r.value };
async function validateAsync2(inst, value) {
  const ctx = { async: true };
  return toStandardResult(await inst._zod.run({ value, issues: [] }, ctx), ctx);
}
function standardProps(inst) {
  return {
    validate: (value) => {
      const ctx = { async: false };
      try {
        const r = inst._zod.run({ value, issues: [] }, ctx);
        if (!(r instanceof Promise))
          return toStandardResult(r, ctx);
      } catch (_) {
      }
      return validateAsync2(inst, value);
    },
    vendor: "zod",
    version: 1
  };
}
var $ZodString = /* @__PURE__ */ $constructor("$ZodString", (inst, def) => {
  $ZodType.init(inst, def);
  inst._zod.pattern = def.pattern ?? anyString;
  inst._zod.parse = (payload, _) => {
    if (def.coerce)
      try {
        payload.value = String(payload.value);
      } catch (_2) {
      }
    if (typeof payload.value === "string")
      return payload;
    payload.issues.push({
      expected: "string",
      code: "invalid_type",
      input: payload.value,
      inst
    });
    return payload;
  };
});
var $ZodStringFormat = /* @__PURE__ */ $constructor("$ZodStringFormat", (inst, def) => {
  $ZodCheckStringFormat.init(inst, def);
  $ZodString.init(inst, def);
});
var $ZodGUID = /* @__PURE__ */ $constructor("$ZodGUID", (inst, def) => {
  def.pattern ?? (def.pattern = guid);
  $ZodStringFormat.init(inst, def);
});
var $ZodUUID = /* @__PURE__ */ $constructor("$ZodUUID", (inst, def) => {
  if (def.version) {
    const versionMap = {
      v1: 1,
      v2: 2,
      v3: 3,
      v4: 4,
      v5: 5,
      v6: 6,
      v7: 7,
      v8: 8
    };
    const v = versionMap[def.version];
    if (v === void 0)
      throw new Error(`Invalid UUID version: "${def.version}"`);
    def.pattern ?? (def.pattern = uuid(v));
  } else
    def.pattern ?? (def.pattern = uuid());
  $ZodStringFormat.init(inst, def);
});
var $ZodEmail = /* @__PURE__ */ $constructor("$ZodEmail", (inst, def) => {
  def.pattern ?? (def.pattern = email);
  $ZodStringFormat.init(inst, def);
});
var URL_BAD_FORMAT = 1;
var URL_UNPARSEABLE = 2;
function canParseURL(input) {
  try {
    if (typeof URL !== "undefined" && typeof URL.canParse === "function")
      return URL.canParse(input);
    new URL(input);
    return true;
  } catch {
    return false;
  }
}
function validateURL(trimmed, def) {
  if (!("normalize" in def) && !("hostname" in def) && !("protocol" in def)) {
    return canParseURL(trimmed) || URL_UNPARSEABLE;
  }
  return parseURLObject(trimmed, def);
}
function parseURLObject(trimmed, def) {
  if (!def.normalize && def.protocol?.source === httpProtocol.source && !/^https?:\/\//i.test(trimmed)) {
    return URL_BAD_FORMAT;
  }
  try {
    if (typeof URL !== "undefined") {
      const URLStatic = URL;
      if (typeof URLStatic.parse === "function")
        return URLStatic.parse(trimmed) ?? URL_UNPARSEABLE;
    }
    return new URL(trimmed);
  } catch {
    return URL_UNPARSEABLE;
  }
}
var asciiTabOrNewline = /[\t\n\r]/g;
function stripTabAndNewline(value) {
  return value.replace(asciiTabOrNewline, "");
}
function urlHostnameOk(url2, hostname) {
  hostname.lastIndex = 0;
  return hostname.test(url2.hostname);
}
function urlProtocolOk(url2, protocol) {
  protocol.lastIndex = 0;
  return protocol.test(url2.protocol.endsWith(":") ? url2.protocol.slice(0, -1) : url2.protocol);
}
var $ZodURL = /* @__PURE__ */ $constructor("$ZodURL", (inst, def) => {
  $ZodStringFormat.init(inst, def);
  inst._zod.check = (payload) => {
    try {
      const trimmed = payload.value.trim();
      const url2 = validateURL(trimmed, def);
      if (url2 === URL_BAD_FORMAT) {
        payload.issues.push({
          code: "invalid_format",
          format: "url",
          note: "Invalid URL format",
          input: payload.value,
          inst,
          continue: !def.abort
        });
        return;
      }
      if (url2 === URL_UNPARSEABLE) {
        payload.issues.push({
          code: "invalid_format",
          format: "url",
          input: payload.value,
          inst,
          continue: !def.abort
        });
        return;
      }
      if (url2 === true) {
        payload.value = stripTabAndNewline(trimmed);
        return;
      }
      if (def.hostname && !urlHostnameOk(url2, def.hostname)) {
        payload.issues.push({
          code: "invalid_format",
          format: "url",
          note: "Invalid hostname",
          pattern: def.hostname.source,
          input: payload.value,
          inst,
          continue: !def.abort
        });
      }
      if (def.protocol && !urlProtocolOk(url2, def.protocol)) {
        payload.issues.push({
          code: "invalid_format",
          format: "url",
          note: "Invalid protocol",
          pattern: def.protocol.source,
          input: payload.value,
          inst,
          continue: !def.abort
        });
      }
      payload.value = def.normalize ? url2.href : stripTabAndNewline(trimmed);
      return;
    } catch (_) {
      payload.issues.push({
        code: "invalid_format",
        format: "url",
        input: payload.value,
        inst,
        continue: !def.abort
      });
    }
  };
});
var $ZodEmoji = /* @__PURE__ */ $constructor("$ZodEmoji", (inst, def) => {
  def.pattern ?? (def.pattern = emoji());
  $ZodStringFormat.init(inst, def);
});
var $ZodNanoID = /* @__PURE__ */ $constructor("$ZodNanoID", (inst, def) => {
  if (def.length !== void 0 && (!Number.isInteger(def.length) || def.length < 1))
    throw new Error(`Invalid nanoid length: ${def.length}`);
  def.pattern ?? (def.pattern = def.length === void 0 ? nanoid : nanoidOfLength(def.length));
  $ZodStringFormat.init(inst, def);
});
var $ZodCUID = /* @__PURE__ */ $constructor("$ZodCUID", (inst, def) => {
  def.pattern ?? (def.pattern = cuid);
  $ZodStringFormat.init(inst, def);
});
var $ZodCUID2 = /* @__PURE__ */ $constructor("$ZodCUID2", (inst, def) => {
  def.pattern ?? (def.pattern = cuid2);
  $ZodStringFormat.init(inst, def);
});
var $ZodULID = /* @__PURE__ */ $constructor("$ZodULID", (inst, def) => {
  def.pattern ?? (def.pattern = ulid);
  $ZodStringFormat.init(inst, def);
});
var $ZodXID = /* @__PURE__ */ $constructor("$ZodXID", (inst, def) => {
  def.pattern ?? (def.pattern = xid);
  $ZodStringFormat.init(inst, def);
});
var $ZodKSUID = /* @__PURE__ */ $constructor("$ZodKSUID", (inst, def) => {
  def.pattern ?? (def.pattern = ksuid);
  $ZodStringFormat.init(inst, def);
});
var $ZodISODateTime = /* @__PURE__ */ $constructor("$ZodISODateTime", (inst, def) => {
  def.pattern ?? (def.pattern = datetime(def));
  $ZodStringFormat.init(inst, def);
});
var $ZodISODate = /* @__PURE__ */ $constructor("$ZodISODate", (inst, def) => {
  def.pattern ?? (def.pattern = date);
  $ZodStringFormat.init(inst, def);
});
var $ZodISOTime = /* @__PURE__ */ $constructor("$ZodISOTime", (inst, def) => {
  def.pattern ?? (def.pattern = time(def));
  $ZodStringFormat.init(inst, def);
});
var $ZodISODuration = /* @__PURE__ */ $constructor("$ZodISODuration", (inst, def) => {
  def.pattern ?? (def.pattern = duration);
  $ZodStringFormat.init(inst, def);
});
var $ZodIPv4 = /* @__PURE__ */ $constructor("$ZodIPv4", (inst, def) => {
  def.pattern ?? (def.pattern = ipv4);
  $ZodStringFormat.init(inst, def);
});
var ipv6Alphabet = /^[0-9a-fA-F:.]+$/;
function isValidIPv6(value) {
  if (!ipv6Alphabet.test(value))
    return false;
  return canParseURL(`http://[${value}]`);
}
var $ZodIPv6 = /* @__PURE__ */ $constructor("$ZodIPv6", (inst, def) => {
  def.pattern ?? (def.pattern = ipv6);
  $ZodStringFormat.init(inst, def);
  inst._zod.check = (payload) => {
    if (!isValidIPv6(payload.value)) {
      payload.issues.push({
        code: "invalid_format",
        format: "ipv6",
        input: payload.value,
        inst,
        continue: !def.abort
      });
    }
  };
});
var $ZodCIDRv4 = /* @__PURE__ */ $constructor("$ZodCIDRv4", (inst, def) => {
  def.pattern ?? (def.pattern = cidrv4);
  $ZodStringFormat.init(inst, def);
});
function isValidCIDRv6(value) {
  const parts = value.split("/");
  if (parts.length !== 2)
    return false;
  const [address2, prefix] = parts;
  if (!prefix)
    return false;
  const prefixNum = Number(prefix);
  if (`${prefixNum}` !== prefix)
    return false;
  if (prefixNum < 0 || prefixNum > 128)
    return false;
  return isValidIPv6(address2);
}
var $ZodCIDRv6 = /* @__PURE__ */ $constructor("$ZodCIDRv6", (inst, def) => {
  def.pattern ?? (def.pattern = cidrv6);
  $ZodStringFormat.init(inst, def);
  inst._zod.check = (payload) => {
    if (!isValidCIDRv6(payload.value)) {
      payload.issues.push({
        code: "invalid_format",
        format: "cidrv6",
        input: payload.value,
        inst,
        continue: !def.abort
      });
    }
  };
});
function isValidBase64(data) {
  if (data === "")
    return true;
  if (/\s/.test(data))
    return false;
  if (data.length % 4 !== 0)
    return false;
  try {
    atob(data);
    return true;
  } catch {
    return false;
  }
}
var base64Charset = /^[0-9a-zA-Z+/]*={0,2}$/;
var $ZodBase64 = /* @__PURE__ */ $constructor("$ZodBase64", (inst, def) => {
  def.pattern ?? (def.pattern = base64Charset);
  $ZodStringFormat.init(inst, def);
  inst._zod.check = (payload) => {
    if (isValidBase64(payload.value))
      return;
    payload.issues.push({
      code: "invalid_format",
      format: "base64",
      input: payload.value,
      inst,
      continue: !def.abort
    });
  };
});
var base64urlCharset = /^[A-Za-z0-9_-]*$/;
function isValidBase64URL(data) {
  if (!base64urlCharset.test(data))
    return false;
  const base642 = data.replace(/[-_]/g, (c) => c === "-" ? "+" : "/");
  const padded = base642.padEnd(Math.ceil(base642.length / 4) * 4, "=");
  return isValidBase64(padded);
}
var $ZodBase64URL = /* @__PURE__ */ $constructor("$ZodBase64URL", (inst, def) => {
  def.pattern ?? (def.pattern = base64urlCharset);
  $ZodStringFormat.init(inst, def);
  inst._zod.check = (payload) => {
    if (isValidBase64URL(payload.value))
      return;
    payload.issues.push({
      code: "invalid_format",
      format: "base64url",
      input: payload.value,
      inst,
      continue: !def.abort
    });
  };
});
var $ZodE164 = /* @__PURE__ */ $constructor("$ZodE164", (inst, def) => {
  def.pattern ?? (def.pattern = e164);
  $ZodStringFormat.init(inst, def);
});
function isValidJWT(token, algorithm = null) {
  try {
    const tokensParts = token.split(".");
    if (tokensParts.length !== 3)
      return false;
    const [header] = tokensParts;
    if (!header)
      return false;
    const parsedHeader = JSON.parse(atob(header));
    if ("typ" in parsedHeader && parsedHeader?.typ !== "JWT")
      return false;
    if (!parsedHeader.alg)
      return false;
    if (algorithm && (!("alg" in parsedHeader) || parsedHeader.alg !== algorithm))
      return false;
    return true;
  } catch {
    return false;
  }
}
var $ZodJWT = /* @__PURE__ */ $constructor("$ZodJWT", (inst, def) => {
  $ZodStringFormat.init(inst, def);
  inst._zod.check = (payload) => {
    if (isValidJWT(payload.value, def.alg))
      return;
    payload.issues.push({
      code: "invalid_format",
      format: "jwt",
      input: payload.value,
      inst,
      continue: !def.abort
    });
  };
});
var $ZodNumber = /* @__PURE__ */ $constructor("$ZodNumber", (inst, def) => {
  $ZodType.init(inst, def);
  inst._zod.pattern = number;
  inst._zod.parse = (payload, _ctx) => {
    if (def.coerce)
      try {
        payload.value = Number(payload.value);
      } catch (_) {
      }
    const input = payload.value;
    if (typeof input === "number" && !Number.isNaN(input) && Number.isFinite(input)) {
      return payload;
    }
    const received = typeof input === "number" ? Number.isNaN(input) ? "NaN" : !Number.isFinite(input) ? String(input) : void 0 : void 0;
    payload.issues.push({
      expected: "number",
      code: "invalid_type",
      input,
      inst,
      ...received ? { received } : {}
    });
    return payload;
  };
});
var $ZodNumberFormat = /* @__PURE__ */ $constructor("$ZodNumberFormat", (inst, def) => {
  $ZodCheckNumberFormat.init(inst, def);
  $ZodNumber.init(inst, def);
});
var $ZodBoolean = /* @__PURE__ */ $constructor("$ZodBoolean", (inst, def) => {
  $ZodType.init(inst, def);
  inst._zod.pattern = boolean;
  inst._zod.parse = (payload, _ctx) => {
    if (def.coerce)
      try {
        payload.value = Boolean(payload.value);
      } catch (_) {
      }
    const input = payload.value;
    if (typeof input === "boolean")
      return payload;
    payload.issues.push({
      expected: "boolean",
      code: "invalid_type",
      input,
      inst
    });
    return payload;
  };
});
var $ZodBigInt = /* @__PURE__ */ $constructor("$ZodBigInt", (inst, def) => {
  $ZodType.init(inst, def);
  inst._zod.pattern = bigint;
  inst._zod.parse = (payload, _ctx) => {
    if (def.coerce)
      try {
        payload.value = BigInt(payload.value);
      } catch (_) {
      }
    if (typeof payload.value === "bigint")
      return payload;
    payload.issues.push({
      expected: "bigint",
      code: "invalid_type",
      input: payload.value,
      inst
    });
    return payload;
  };
});
var $ZodUnknown = /* @__PURE__ */ $constructor("$ZodUnknown", (inst, def) => {
  $ZodType.init(inst, def);
  inst._zod.parse = (payload) => payload;
});
var $ZodNever = /* @__PURE__ */ $constructor("$ZodNever", (inst, def) => {
  $ZodType.init(inst, def);
  inst._zod.parse = (payload, _ctx) => {
    payload.issues.push({
      expected: "never",
      code: "invalid_type",
      input: payload.value,
      inst
    });
    return payload;
  };
});
var $ZodDate = /* @__PURE__ */ $constructor("$ZodDate", (inst, def) => {
  $ZodType.init(inst, def);
  inst._zod.parse = (payload, _ctx) => {
    if (def.coerce) {
      try {
        payload.value = new Date(payload.value);
      } catch (_err) {
      }
    }
    const input = payload.value;
    const isDate = input instanceof Date;
    const isValidDate = isDate && !Number.isNaN(input.getTime());
    if (isValidDate)
      return payload;
    payload.issues.push({
      expected: "date",
      code: "invalid_type",
      input,
      ...isDate ? { received: "Invalid Date" } : {},
      inst
    });
    return payload;
  };
});
function capSize(inst, size2) {
  const caps = sizeCaps(inst._zod.def.checks);
  if (!caps.length)
    return;
  const cap = Math.min(...caps.map((c) => c[0]));
  const parse7 = inst._zod.parse;
  inst._zod.parse = (payload, ctx) => {
    const n = size2(payload.value);
    if (n > cap && !ctx?.skipChecks && ctx?.direction !== "backward") {
      for (const [max, ch] of sizeCaps(inst._zod.def.checks)) {
        if (n > max && ch._zod.def.when(payload)) {
          const start = payload.issues.length;
          ch._zod.check(payload);
          payload.issues[start].continue = false;
          attachSchema(payload.issues, start, inst);
          return payload;
        }
      }
    }
    return parse7(payload, ctx);
  };
}
var arraySize = (input) => Array.isArray(input) ? input.length : -1;
function handleArrayResult(result, final, index) {
  if (result.issues.length) {
    final.issues.push(...prefixIssues(index, result.issues));
  }
  final.value[index] = result.value;
}
var $ZodArray = /* @__PURE__ */ $constructor("$ZodArray", (inst, def) => {
  $ZodType.init(inst, def);
  const memo2 = globalConfig.memoizer;
  memo2?.attach(inst);
  inst._zod.parse = (payload, ctx) => {
    const input = payload.value;
    if (!Array.isArray(input)) {
      payload.issues.push({
        expected: "array",
        code: "invalid_type",
        input,
        inst
      });
      return payload;
    }
    payload.value = memo2 ? memo2.alloc(inst, payload, Array(input.length), ctx) : Array(input.length);
    const proms = [];
    const abortEarly = ctx?.abortEarly;
    for (let i = 0; i < input.length; i++) {
      const item = input[i];
      const result = def.element._zod.run({
        value: item,
        issues: []
      }, ctx);
      if (result instanceof Promise) {
        proms.push(result.then((result2) => handleArrayResult(result2, payload, i)));
      } else {
        handleArrayResult(result, payload, i);
        if (abortEarly && result.issues.length !== 0 && aborted(result))
          break;
      }
    }
    if (proms.length) {
      return Promise.all(proms).then(() => payload);
    }
    return payload;
  };
  capSize(inst, arraySize);
});
function handlePropertyResult(result, final, key2, input, optin, optout) {
  const isPresent = key2 in input;
  const isOptionalOut = optout === "optional";
  if (!isPresent && isOptionalOut && optin === "optional") {
    return;
  }
  if (result.issues.length) {
    if (optin !== void 0 && isOptionalOut && !isPresent) {
      return;
    }
    final.issues.push(...prefixIssues(key2, result.issues));
  }
  if (!isPresent && optin === void 0) {
    if (!result.issues.length) {
      final.issues.push({
        code: "invalid_type",
        expected: "nonoptional",
        input: void 0,
        path: [key2]
      });
    }
    return;
  }
  if (result.value === void 0) {
    if (isPresent || optin === "defaulted" && !isOptionalOut) {
      final.value[key2] = void 0;
    }
  } else {
    final.value[key2] = result.value;
  }
}
var NO_SYMBOL_KEYS = [];
function normalizeDef(def) {
  const keys = Object.keys(def.shape);
  const ownSymbols = Object.getOwnPropertySymbols(def.shape);
  const symbolKeys = ownSymbols.length ? ownSymbols : NO_SYMBOL_KEYS;
  const allKeys = symbolKeys.length ? [...keys, ...symbolKeys] : keys;
  for (const k of allKeys) {
    if (!def.shape?.[k]?._zod?.traits?.has("$ZodType")) {
      throw new Error(`Invalid element at key "${String(k)}": expected a Zod schema`);
    }
  }
  const okeys = optionalKeys(def.shape);
  return {
    ...def,
    allKeys,
    symbolKeys,
    // string-only: handleCatchall matches it against `for...in`, which never yields a symbol
    keySet: new Set(keys),
    numKeys: keys.length,
    optionalKeys: new Set(okeys)
  };
}
function handleCatchall(proms, input, payload, ctx, def, inst, abortEarly) {
  const unrecognized = [];
  const keySet = def.keySet;
  const _catchall = def.catchall._zod;
  const t = _catchall.def.type;
  const optin = _catchall.optin;
  const optout = _catchall.optout;
  let seen2 = 0;
  for (const key2 in input) {
    if (abortEarly && payload.issues.length !== seen2) {
      if (aborted(payload, seen2))
        break;
      seen2 = payload.issues.length;
    }
    if (keySet.has(key2))
      continue;
    if (key2 === "__proto__") {
      if (t === "never")
        unrecognized.push(key2);
      continue;
    }
    if (t === "never") {
      unrecognized.push(key2);
      continue;
    }
    const r = _catchall.run({ value: input[key2], issues: [] }, ctx);
    if (r instanceof Promise) {
      proms.push(r.then((r2) => handlePropertyResult(r2, payload, key2, input, optin, optout)));
    } else {
      handlePropertyResult(r, payload, key2, input, optin, optout);
    }
  }
  if (unrecognized.length) {
    payload.issues.push({
      code: "unrecognized_keys",
      keys: unrecognized,
      input,
      inst,
      // Describes the shape of the input, not the validity of the parsed value, so it never aborts. The parse still fails; the schema's own checks just get to run first, and an enclosing intersection can reconcile the key against a sibling operand.
      continue: true
    });
  }
  if (!proms.length)
    return payload;
  return Promise.all(proms).then(() => {
    return payload;
  });
}
var $ZodObject = /* @__PURE__ */ $constructor("$ZodObject", (inst, def) => {
  $ZodType.init(inst, def);
  const desc2 = Object.getOwnPropertyDescriptor(def, "shape");
  const sh = desc2?.get ? desc2.get.raw : def.shape ?? {};
  if (sh) {
    const get = () => {
      const newSh = { ...sh };
      Object.defineProperty(def, "shape", { value: newSh });
      get.raw = newSh;
      return newSh;
    };
    get.raw = sh;
    Object.defineProperty(def, "shape", { get });
  }
  const _normalized = cached(() => normalizeDef(def));
  defineLazyInternal(inst, "propValues", (zod) => {
    const shape = zod.def.shape;
    const propValues = {};
    for (const key2 in shape) {
      const field = shape[key2]._zod;
      if (field.values) {
        if (!Object.prototype.hasOwnProperty.call(propValues, key2)) {
          assignProp(propValues, key2, /* @__PURE__ */ new Set());
        }
        for (const v of field.values)
          propValues[key2].add(v);
        if (field.optin !== void 0)
          propValues[key2].add(void 0);
      }
    }
    return propValues;
  });
  const isObject3 = isObject;
  const catchall = def.catchall;
  let value;
  const memo2 = globalConfig.memoizer;
  memo2?.attach(inst);
  inst._zod.parse = (payload, ctx) => {
    value ?? (value = _normalized.value);
    const input = payload.value;
    if (!isObject3(input)) {
      payload.issues.push({
        expected: "object",
        code: "invalid_type",
        input,
        inst
      });
      return payload;
    }
    payload.value = memo2 ? memo2.alloc(inst, payload, {}, ctx) : {};
    const proms = [];
    const shape = value.shape;
    const abortEarly = ctx?.abortEarly;
    let seen2 = payload.issues.length;
    for (const key2 of value.allKeys) {
      if (abortEarly && payload.issues.length !== seen2) {
        if (aborted(payload, seen2))
          break;
        seen2 = payload.issues.length;
      }
      if (key2 === "__proto__")
        continue;
      const el = shape[key2];
      const optin = el._zod.optin;
      const optout = el._zod.optout;
      const r = el._zod.run({ value: input[key2], issues: [] }, ctx);
      if (r instanceof Promise) {
        proms.push(r.then((r2) => handlePropertyResult(r2, payload, key2, input, optin, optout)));
      } else {
        handlePropertyResult(r, payload, key2, input, optin, optout);
      }
    }
    if (!catchall) {
      return proms.length ? Promise.all(proms).then(() => payload) : payload;
    }
    return handleCatchall(proms, input, payload, ctx, _normalized.value, inst, abortEarly === true);
  };
});
var $ZodObjectJIT = /* @__PURE__ */ $constructor("$ZodObjectJIT", (inst, def) => {
  $ZodObject.init(inst, def);
  const superParse = inst._zod.parse;
  const _normalized = cached(() => normalizeDef(def));
  const memo2 = globalConfig.memoizer;
  const generateFastpass = (shape) => {
    const normalized = _normalized.value;
    const syms = normalized.symbolKeys;
    const doc = new Doc(["payload", "ctx"], { shape, inst, memo: memo2, syms });
    const parseStr = (k) => `shape[${k}]._zod.run({ value: input[${k}], issues: [] }, ctx)`;
    const prefixStr = (id, k) => `
          let ${id}_ab = false;
          for (let i = 0; i < ${id}.issues.length; i++) {
            const iss = ${id}.issues[i];
            iss.path = iss.path ? [${k}, ...iss.path] : [${k}];
            payload.issues.push(iss);
            if (iss.continue !== true) ${id}_ab = true;
          }
          if (${id}_ab && ctx && ctx.abortEarly) {
            payload.value = newResult;
            return payload;
          }`;
    doc.write(`const input = payload.value;`);
    const ids = /* @__PURE__ */ Object.create(null);
    let counter = 0;
    for (const key2 of normalized.allKeys) {
      ids[key2] = `key_${counter++}`;
    }
    doc.write(memo2 ? `const newResult = memo.alloc(inst, payload, {}, ctx);` : `const newResult = {};`);
    for (const key2 of normalized.allKeys) {
      if (key2 === "__proto__")
        continue;
      const id = ids[key2];
      const k = typeof key2 === "symbol" ? `syms[${syms.indexOf(key2)}]` : esc(key2);
      const isPresent = `${k} in input`;
      const schema = shape[key2];
      const optin = schema?._zod?.optin;
      const isOptionalIn = optin !== void 0;
      const isOptionalOut = schema?._zod?.optout === "optional";
      doc.write(`const ${id} = ${parseStr(k)};`);
      if (isOptionalIn && isOptionalOut) {
        const assign = optin === "optional" ? `${id}_present` : `${id}.value !== undefined || ${id}_present`;
        doc.write(`
        const ${id}_present = ${isPresent};
        if (!${id}.issues.length || ${id}_present) {
          if (${id}.issues.length) {${prefixStr(id, k)}
          }

          if (${assign}) {
            newResult[${k}] = ${id}.value;
          }
        }

      `);
      } else if (!isOptionalIn) {
        doc.write(`
        const ${id}_present = ${isPresent};
        if (${id}.issues.length) {${prefixStr(id, k)}
        }
        if (!${id}_present && !${id}.issues.length) {
          payload.issues.push({
            code: "invalid_type",
            expected: "nonoptional",
            input: undefined,
            path: [${k}]
          });
          if (ctx && ctx.abortEarly) {
            payload.value = newResult;
            return payload;
          }
        }

        if (${id}_present) {
          newResult[${k}] = ${id}.value;
        }

      `);
      } else {
        doc.write(`
        if (${id}.issues.length) {${prefixStr(id, k)}
        }
      `);
        if (optin === "defaulted") {
          doc.write(`newResult[${k}] = ${id}.value;`);
        } else {
          doc.write(`
        if (${id}.value !== undefined || ${isPresent}) {
          newResult[${k}] = ${id}.value;
        }
      `);
        }
      }
    }
    doc.write(`payload.value = newResult;`);
    doc.write(`return payload;`);
    return doc.compile();
  };
  let fastpass;
  const isObject3 = isObject;
  const jit = !globalConfig.jitless;
  const allowsEval2 = allowsEval;
  const fastEnabled = jit && allowsEval2.value;
  const catchall = def.catchall;
  let value;
  inst._zod.parse = (payload, ctx) => {
    value ?? (value = _normalized.value);
    const input = payload.value;
    if (!isObject3(input)) {
      payload.issues.push({
        expected: "object",
        code: "invalid_type",
        input,
        inst
      });
      return payload;
    }
    if (jit && fastEnabled && ctx?.async === false && ctx.jitless !== true) {
      if (!fastpass)
        fastpass = generateFastpass(def.shape);
      payload = fastpass(payload, ctx);
      if (!catchall)
        return payload;
      return handleCatchall([], input, payload, ctx, value, inst, ctx?.abortEarly === true);
    }
    return superParse(payload, ctx);
  };
});
function handleUnionResults(results, final, inst, ctx) {
  for (const result of results) {
    if (result.issues.length === 0) {
      final.value = result.value;
      return final;
    }
  }
  const nonaborted = results.filter((r) => !aborted(r));
  if (nonaborted.length === 1) {
    final.value = nonaborted[0].value;
    return nonaborted[0];
  }
  final.issues.push({
    code: "invalid_union",
    input: final.value,
    inst,
    errors: results.map((result) => result.issues.map((iss) => finalizeIssue(iss, ctx, config())))
  });
  return final;
}
var $ZodUnion = /* @__PURE__ */ $constructor("$ZodUnion", (inst, def) => {
  $ZodType.init(inst, def);
  defineLazyInternal(inst, "optin", (zod) => zod.def.options.some((o) => o._zod.optin === "defaulted") ? "defaulted" : zod.def.options.some((o) => o._zod.optin !== void 0) ? "optional" : void 0);
  defineLazyInternal(inst, "optout", (zod) => zod.def.options.some((o) => o._zod.optout === "optional") ? "optional" : void 0);
  defineLazyInternal(inst, "values", (zod) => {
    if (zod.def.options.every((o) => o._zod.values)) {
      return new Set(zod.def.options.flatMap((option) => Array.from(option._zod.values)));
    }
    return void 0;
  });
  defineLazyInternal(inst, "pattern", (zod) => {
    if (zod.def.options.every((o) => o._zod.pattern)) {
      const patterns = zod.def.options.map((o) => o._zod.pattern);
      return new RegExp(`^(${patterns.map((p) => cleanRegex(p.source)).join("|")})$`);
    }
    return void 0;
  });
  const first = def.options.length === 1 ? def.options[0]._zod.run : null;
  inst._zod.parse = (payload, ctx) => {
    if (first) {
      return first(payload, ctx);
    }
    let async = false;
    const results = [];
    for (const option of def.options) {
      const result = option._zod.run({
        value: payload.value,
        issues: []
      }, ctx);
      if (result instanceof Promise) {
        results.push(result);
        async = true;
      } else {
        if (result.issues.length === 0)
          return result;
        results.push(result);
      }
    }
    if (!async)
      return handleUnionResults(results, payload, inst, ctx);
    return Promise.all(results).then((results2) => {
      return handleUnionResults(results2, payload, inst, ctx);
    });
  };
});
function discriminatorMap(def) {
  const map = /* @__PURE__ */ new Map();
  for (const option of def.options) {
    const values = option._zod.propValues?.[def.discriminator];
    if (!values || values.size === 0)
      throw new Error(`Invalid discriminated union option at index "${def.options.indexOf(option)}"`);
    for (const value of values) {
      if (map.has(value)) {
        if (value !== void 0)
          throw new Error(`Duplicate discriminator value "${String(value)}"`);
        map.set(value, null);
      } else {
        map.set(value, option);
      }
    }
  }
  return map;
}
var $ZodDiscriminatedUnion = /* @__PURE__ */ $constructor("$ZodDiscriminatedUnion", (inst, def) => {
  def.inclusive = false;
  $ZodUnion.init(inst, def);
  const _super = inst._zod.parse;
  defineLazyInternal(inst, "propValues", (zod) => {
    const propValues = {};
    let undefinedCount = 0;
    for (const option of zod.def.options) {
      const pv = option._zod.propValues;
      if (!pv || Object.keys(pv).length === 0)
        throw new Error(`Invalid discriminated union option at index "${zod.def.options.indexOf(option)}"`);
      if (pv[zod.def.discriminator]?.has(void 0))
        undefinedCount++;
      for (const [k, v] of Object.entries(pv)) {
        if (!Object.prototype.hasOwnProperty.call(propValues, k)) {
          assignProp(propValues, k, /* @__PURE__ */ new Set());
        }
        for (const val of v) {
          propValues[k].add(val);
        }
      }
    }
    if (!zod.def.unionFallback && undefinedCount > 1)
      propValues[zod.def.discriminator]?.delete(void 0);
    return propValues;
  });
  def.options.forEach((option, i) => {
    const propShape = rawShape(option._zod.def);
    if (propShape && !Object.prototype.hasOwnProperty.call(propShape, def.discriminator)) {
      throw new Error(`Invalid discriminated union option at index "${i}"`);
    }
  });
  const disc = cached(() => discriminatorMap(def));
  inst._zod.parse = (payload, ctx) => {
    const input = payload.value;
    if (!isObject(input)) {
      payload.issues.push({
        code: "invalid_type",
        expected: "object",
        input,
        inst
      });
      return payload;
    }
    const value = input?.[def.discriminator];
    const opt = disc.value.get(value);
    if (opt && (value !== void 0 || ctx.direction !== "backward")) {
      return opt._zod.run(payload, ctx);
    }
    if (def.unionFallback || ctx.direction === "backward") {
      return _super(payload, ctx);
    }
    payload.issues.push({
      code: "invalid_union",
      errors: [],
      note: "No matching discriminator",
      discriminator: def.discriminator,
      options: Array.from(disc.value.keys()).filter((value2) => disc.value.get(value2) !== null),
      input,
      path: [def.discriminator],
      inst
    });
    return payload;
  };
});
var $ZodIntersection = /* @__PURE__ */ $constructor("$ZodIntersection", (inst, def) => {
  $ZodType.init(inst, def);
  inst._zod.parse = (payload, ctx) => {
    const input = payload.value;
    const left = def.left._zod.run({ value: input, issues: [] }, ctx);
    const right = def.right._zod.run({ value: input, issues: [] }, ctx);
    const async = left instanceof Promise || right instanceof Promise;
    if (async) {
      return Promise.all([left, right]).then(([left2, right2]) => {
        return handleIntersectionResults(payload, left2, right2);
      });
    }
    return handleIntersectionResults(payload, left, right);
  };
});
function mergeValues(a, b) {
  if (a === b) {
    return { valid: true, data: a };
  }
  if (a instanceof Date && b instanceof Date && +a === +b) {
    return { valid: true, data: a };
  }
  if (isPlainObject(a) && isPlainObject(b)) {
    const bKeys = Object.keys(b);
    const sharedKeys = Object.keys(a).filter((key2) => bKeys.indexOf(key2) !== -1);
    const newObj = { ...a, ...b };
    if (Object.prototype.hasOwnProperty.call(newObj, "__proto__"))
      delete newObj.__proto__;
    for (const key2 of sharedKeys) {
      if (key2 === "__proto__")
        continue;
      const sharedValue = mergeValues(a[key2], b[key2]);
      if (!sharedValue.valid) {
        return {
          valid: false,
          mergeErrorPath: [key2, ...sharedValue.mergeErrorPath]
        };
      }
      newObj[key2] = sharedValue.data;
    }
    return { valid: true, data: newObj };
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    if (a.length !== b.length) {
      return { valid: false, mergeErrorPath: [] };
    }
    const newArray = [];
    for (let index = 0; index < a.length; index++) {
      const itemA = a[index];
      const itemB = b[index];
      const sharedValue = mergeValues(itemA, itemB);
      if (!sharedValue.valid) {
        return {
          valid: false,
          mergeErrorPath: [index, ...sharedValue.mergeErrorPath]
        };
      }
      newArray.push(sharedValue.data);
    }
    return { valid: true, data: newArray };
  }
  return { valid: false, mergeErrorPath: [] };
}
function handleIntersectionResults(result, left, right) {
  const unrecKeys = /* @__PURE__ */ new Map();
  let unrecIssue;
  const keyIssues = /* @__PURE__ */ new Map();
  const collect2 = (iss, side) => {
    let keys;
    if (iss.code === "unrecognized_keys" && !iss.path?.length) {
      unrecIssue ?? (unrecIssue = iss);
      keys = iss.keys;
    } else if (iss.code === "invalid_key" && iss.origin === "record" && iss.path?.length === 1) {
      const k = String(iss.path[0]);
      if (!keyIssues.has(k))
        keyIssues.set(k, iss);
      keys = [k];
    } else {
      return false;
    }
    for (const k of keys) {
      if (!unrecKeys.has(k))
        unrecKeys.set(k, {});
      unrecKeys.get(k)[side] = true;
    }
    return true;
  };
  for (const iss of left.issues) {
    if (!collect2(iss, "l"))
      result.issues.push(iss);
  }
  for (const iss of right.issues) {
    if (!collect2(iss, "r"))
      result.issues.push(iss);
  }
  const bothKeys = [...unrecKeys].filter(([, f]) => f.l && f.r).map(([k]) => k);
  if (bothKeys.length) {
    const aggregated = unrecIssue ? bothKeys.filter((k) => unrecIssue.keys.includes(k)) : [];
    if (aggregated.length)
      result.issues.push({ ...unrecIssue, keys: aggregated });
    for (const k of bothKeys) {
      if (!aggregated.includes(k) && keyIssues.has(k))
        result.issues.push(keyIssues.get(k));
    }
  }
  const merged = mergeValues(left.value, right.value);
  if (!merged.valid) {
    if (aborted(result))
      return result;
    throw new Error(`Unmergable intersection. Error path: ${JSON.stringify(merged.mergeErrorPath)}`);
  }
  result.value = merged.data;
  return result;
}
var $ZodRecord = /* @__PURE__ */ $constructor("$ZodRecord", (inst, def) => {
  $ZodType.init(inst, def);
  const memo2 = globalConfig.memoizer;
  memo2?.attach(inst);
  inst._zod.parse = (payload, ctx) => {
    const input = payload.value;
    if (!isPlainObject(input)) {
      payload.issues.push({
        expected: "record",
        code: "invalid_type",
        input,
        inst
      });
      return payload;
    }
    const proms = [];
    const values = def.keyType._zod.values;
    if (values && !def.partial) {
      payload.value = memo2 ? memo2.alloc(inst, payload, {}, ctx) : {};
      const recordKeys = /* @__PURE__ */ new Set();
      for (const key2 of values) {
        if (typeof key2 === "string" || typeof key2 === "number" || typeof key2 === "symbol") {
          recordKeys.add(typeof key2 === "number" ? key2.toString() : key2);
          if (key2 === "__proto__")
            continue;
          const keyResult = def.keyType._zod.run({ value: key2, issues: [] }, ctx);
          if (keyResult instanceof Promise) {
            throw new Error("Async schemas not supported in object keys currently");
          }
          if (keyResult.issues.length) {
            payload.issues.push({
              code: "invalid_key",
              origin: "record",
              issues: keyResult.issues.map((iss) => finalizeIssue(iss, ctx, config())),
              input: key2,
              path: [key2],
              inst
            });
            continue;
          }
          const outKey = keyResult.value;
          if (outKey === "__proto__")
            continue;
          const result = def.valueType._zod.run({ value: input[key2], issues: [] }, ctx);
          if (result instanceof Promise) {
            proms.push(result.then((result2) => {
              if (result2.issues.length) {
                payload.issues.push(...prefixIssues(key2, result2.issues));
              }
              payload.value[outKey] = result2.value;
            }));
          } else {
            if (result.issues.length) {
              payload.issues.push(...prefixIssues(key2, result.issues));
            }
            payload.value[outKey] = result.value;
          }
        }
      }
      let unrecognized;
      for (const key2 in input) {
        if (!recordKeys.has(key2)) {
          if (def.mode === "loose") {
            if (key2 === "__proto__")
              continue;
            payload.value[key2] = input[key2];
          } else {
            unrecognized = unrecognized ?? [];
            unrecognized.push(key2);
          }
        }
      }
      if (unrecognized && unrecognized.length > 0) {
        payload.issues.push({
          code: "unrecognized_keys",
          input,
          inst,
          keys: unrecognized,
          continue: true
        });
      }
    } else {
      payload.value = memo2 ? memo2.alloc(inst, payload, {}, ctx) : {};
      let unrecognized;
      for (const key2 of Reflect.ownKeys(input)) {
        if (key2 === "__proto__")
          continue;
        if (!Object.prototype.propertyIsEnumerable.call(input, key2))
          continue;
        let keyResult = def.keyType._zod.run({ value: key2, issues: [] }, ctx);
        if (keyResult instanceof Promise) {
          throw new Error("Async schemas not supported in object keys currently");
        }
        const checkNumericKey = typeof key2 === "string" && number.test(key2) && keyResult.issues.length;
        if (checkNumericKey) {
          const retryResult = def.keyType._zod.run({ value: Number(key2), issues: [] }, ctx);
          if (retryResult instanceof Promise) {
            throw new Error("Async schemas not supported in object keys currently");
          }
          if (retryResult.issues.length === 0) {
            keyResult = retryResult;
          }
        }
        if (keyResult.issues.length) {
          if (def.mode === "loose") {
            payload.value[key2] = input[key2];
          } else if (values) {
            unrecognized = unrecognized ?? [];
            unrecognized.push(key2);
          } else {
            payload.issues.push({
              code: "invalid_key",
              origin: "record",
              issues: keyResult.issues.map((iss) => finalizeIssue(iss, ctx, config())),
              input: key2,
              path: [key2],
              inst
            });
          }
          continue;
        }
        const outKey = keyResult.value;
        if (outKey === "__proto__")
          continue;
        const result = def.valueType._zod.run({ value: input[key2], issues: [] }, ctx);
        if (result instanceof Promise) {
          proms.push(result.then((result2) => {
            if (result2.issues.length) {
              payload.issues.push(...prefixIssues(key2, result2.issues));
            }
            payload.value[outKey] = result2.value;
          }));
        } else {
          if (result.issues.length) {
            payload.issues.push(...prefixIssues(key2, result.issues));
          }
          payload.value[outKey] = result.value;
        }
      }
      if (unrecognized && unrecognized.length > 0) {
        payload.issues.push({
          code: "unrecognized_keys",
          input,
          inst,
          keys: unrecognized,
          continue: true
        });
      }
    }
    if (proms.length) {
      return Promise.all(proms).then(() => payload);
    }
    return payload;
  };
});
var $ZodEnum = /* @__PURE__ */ $constructor("$ZodEnum", (inst, def) => {
  $ZodType.init(inst, def);
  const values = getEnumValues(def.entries);
  const valuesSet = new Set(values);
  inst._zod.values = valuesSet;
  defineLazyInternal(inst, "pattern", (zod) => {
    const patternValues = getEnumValues(zod.def.entries).filter((k) => propertyKeyTypes.has(typeof k));
    return new RegExp(patternValues.length ? `^(${patternValues.map((o) => escapeRegex(o.toString())).join("|")})$` : "^[^\\s\\S]$");
  });
  inst._zod.parse = (payload, _ctx) => {
    const input = payload.value;
    if (valuesSet.has(input)) {
      return payload;
    }
    payload.issues.push({
      code: "invalid_value",
      values,
      input,
      inst
    });
    return payload;
  };
});
var $ZodLiteral = /* @__PURE__ */ $constructor("$ZodLiteral", (inst, def) => {
  $ZodType.init(inst, def);
  const values = new Set(def.values);
  inst._zod.values = values;
  defineLazyInternal(inst, "pattern", (zod) => {
    const vals = zod.def.values;
    return new RegExp(vals.length ? `^(${vals.map((o) => typeof o === "string" ? escapeRegex(o) : o ? escapeRegex(o.toString()) : String(o)).join("|")})$` : "^[^\\s\\S]$");
  });
  inst._zod.parse = (payload, _ctx) => {
    const input = payload.value;
    if (values.has(input)) {
      return payload;
    }
    payload.issues.push({
      code: "invalid_value",
      values: def.values,
      input,
      inst
    });
    return payload;
  };
});
var $ZodTransform = /* @__PURE__ */ $constructor("$ZodTransform", (inst, def) => {
  $ZodType.init(inst, def);
  inst._zod.optin = "optional";
  globalConfig.memoizer?.guard(inst);
  inst._zod.parse = (payload, ctx) => {
    if (ctx.direction === "backward") {
      throw new $ZodEncodeError(inst.constructor.name);
    }
    const _out = def.transform(payload.value, payload);
    if (ctx.async) {
      const output2 = _out instanceof Promise ? _out : Promise.resolve(_out);
      return output2.then((output3) => {
        payload.value = output3;
        return payload;
      });
    }
    if (_out instanceof Promise) {
      throw new $ZodAsyncError();
    }
    payload.value = _out;
    return payload;
  };
});
function handleOptionalResult(payload, result) {
  payload.value = result.issues.length ? void 0 : result.value;
  return payload;
}
var $ZodOptional = /* @__PURE__ */ $constructor("$ZodOptional", (inst, def) => {
  $ZodType.init(inst, def);
  defineLazyInternal(inst, "optin", (zod) => zod.def.innerType._zod.optin === "defaulted" ? "defaulted" : "optional");
  inst._zod.optout = "optional";
  defineLazyInternal(inst, "values", (zod) => {
    const values = zod.def.innerType._zod.values;
    return values ? /* @__PURE__ */ new Set([...values, void 0]) : void 0;
  });
  defineLazyInternal(inst, "pattern", (zod) => {
    const pattern = zod.def.innerType._zod.pattern;
    return pattern ? new RegExp(`^(${cleanRegex(pattern.source)})?$`) : void 0;
  });
  inst._zod.parse = (payload, ctx) => {
    if (payload.value === void 0) {
      if (def.innerType._zod.optin !== "defaulted")
        return payload;
      const result = def.innerType._zod.run({ value: payload.value, issues: [] }, ctx);
      if (result instanceof Promise)
        return result.then((result2) => handleOptionalResult(payload, result2));
      return handleOptionalResult(payload, result);
    }
    return def.innerType._zod.run(payload, ctx);
  };
});
var $ZodExactOptional = /* @__PURE__ */ $constructor("$ZodExactOptional", (inst, def) => {
  $ZodOptional.init(inst, def);
  defineLazyInternal(inst, "values", (zod) => zod.def.innerType._zod.values);
  defineLazyInternal(inst, "pattern", (zod) => zod.def.innerType._zod.pattern);
  inst._zod.parse = (payload, ctx) => {
    return def.innerType._zod.run(payload, ctx);
  };
});
var $ZodNullable = /* @__PURE__ */ $constructor("$ZodNullable", (inst, def) => {
  $ZodType.init(inst, def);
  defineLazyInternal(inst, "optin", (zod) => zod.def.innerType._zod.optin);
  defineLazyInternal(inst, "optout", (zod) => zod.def.innerType._zod.optout);
  defineLazyInternal(inst, "pattern", (zod) => {
    const pattern = zod.def.innerType._zod.pattern;
    return pattern ? new RegExp(`^(${cleanRegex(pattern.source)}|null)$`) : void 0;
  });
  defineLazyInternal(inst, "values", (zod) => {
    return zod.def.innerType._zod.values ? /* @__PURE__ */ new Set([...zod.def.innerType._zod.values, null]) : void 0;
  });
  inst._zod.parse = (payload, ctx) => {
    if (payload.value === null)
      return payload;
    return def.innerType._zod.run(payload, ctx);
  };
});
var $ZodDefault = /* @__PURE__ */ $constructor("$ZodDefault", (inst, def) => {
  $ZodType.init(inst, def);
  inst._zod.optin = "defaulted";
  defineLazyInternal(inst, "values", (zod) => zod.def.innerType._zod.values);
  inst._zod.parse = (payload, ctx) => {
    if (ctx.direction === "backward") {
      return def.innerType._zod.run(payload, ctx);
    }
    if (payload.value === void 0) {
      payload.value = def.defaultValue;
      return payload;
    }
    const result = def.innerType._zod.run(payload, ctx);
    if (result instanceof Promise) {
      return result.then((result2) => handleDefaultResult(result2, def));
    }
    return handleDefaultResult(result, def);
  };
});
function handleDefaultResult(payload, def) {
  if (payload.value === void 0) {
    payload.value = def.defaultValue;
  }
  return payload;
}
var $ZodPrefault = /* @__PURE__ */ $constructor("$ZodPrefault", (inst, def) => {
  $ZodType.init(inst, def);
  inst._zod.optin = "defaulted";
  defineLazyInternal(inst, "values", (zod) => zod.def.innerType._zod.values);
  inst._zod.parse = (payload, ctx) => {
    if (ctx.direction === "backward") {
      return def.innerType._zod.run(payload, ctx);
    }
    if (payload.value === void 0) {
      payload.value = def.defaultValue;
    }
    return def.innerType._zod.run(payload, ctx);
  };
});
var $ZodNonOptional = /* @__PURE__ */ $constructor("$ZodNonOptional", (inst, def) => {
  $ZodType.init(inst, def);
  defineLazyInternal(inst, "values", (zod) => {
    const v = zod.def.innerType._zod.values;
    return v ? new Set([...v].filter((x) => x !== void 0)) : void 0;
  });
  inst._zod.parse = (payload, ctx) => {
    const result = def.innerType._zod.run(payload, ctx);
    if (result instanceof Promise) {
      return result.then((result2) => handleNonOptionalResult(result2, inst));
    }
    return handleNonOptionalResult(result, inst);
  };
});
function handleNonOptionalResult(payload, inst) {
  if (!payload.issues.length && payload.value === void 0) {
    payload.issues.push({
      code: "invalid_type",
      expected: "nonoptional",
      input: payload.value,
      inst
    });
  }
  return payload;
}
function handleCatchResult(payload, result, def, ctx) {
  if (!result.issues.length) {
    payload.value = result.value;
    if (result.memo)
      payload.memo = true;
    return payload;
  }
  payload.value = def.catchValue({
    ...result,
    value: payload.value,
    error: {
      issues: result.issues.map((iss) => finalizeIssue(iss, ctx, config()))
    },
    input: payload.value
  });
  return payload;
}
var $ZodCatch = /* @__PURE__ */ $constructor("$ZodCatch", (inst, def) => {
  $ZodType.init(inst, def);
  defineLazyInternal(inst, "optin", (zod) => zod.def.innerType._zod.optin === "defaulted" ? "defaulted" : "optional");
  defineLazyInternal(inst, "optout", (zod) => zod.def.innerType._zod.optout);
  defineLazyInternal(inst, "values", (zod) => zod.def.innerType._zod.values);
  inst._zod.parse = (payload, ctx) => {
    if (ctx.direction === "backward") {
      return def.innerType._zod.run(payload, ctx);
    }
    const result = def.innerType._zod.run({ value: payload.value, issues: [] }, ctx);
    if (result instanceof Promise) {
      return result.then((result2) => handleCatchResult(payload, result2, def, ctx));
    }
    return handleCatchResult(payload, result, def, ctx);
  };
});
var $ZodPipe = /* @__PURE__ */ $constructor("$ZodPipe", (inst, def) => {
  $ZodType.init(inst, def);
  defineLazyInternal(inst, "values", (zod) => zod.def.in._zod.values);
  defineLazyInternal(inst, "optin", (zod) => zod.def.in._zod.optin);
  defineLazyInternal(inst, "optout", (zod) => zod.def.out._zod.optout);
  defineLazyInternal(inst, "propValues", (zod) => zod.def.in._zod.propValues);
  inst._zod.parse = (payload, ctx) => {
    if (ctx.direction === "backward") {
      const right = def.out._zod.run(payload, ctx);
      if (right instanceof Promise) {
        return right.then((right2) => handlePipeResult(right2, def.in, ctx));
      }
      return handlePipeResult(right, def.in, ctx);
    }
    const left = def.in._zod.run(payload, ctx);
    if (left instanceof Promise) {
      return left.then((left2) => handlePipeResult(left2, def.out, ctx));
    }
    return handlePipeResult(left, def.out, ctx);
  };
});
function handlePipeResult(left, next2, ctx) {
  if (left.issues.some((iss) => iss.code !== "unrecognized_keys")) {
    left.aborted = true;
    return left;
  }
  return next2._zod.run({ value: left.value, issues: left.issues }, ctx);
}
var $ZodReadonly = /* @__PURE__ */ $constructor("$ZodReadonly", (inst, def) => {
  $ZodType.init(inst, def);
  defineLazyInternal(inst, "propValues", (zod) => zod.def.innerType._zod.propValues);
  defineLazyInternal(inst, "values", (zod) => zod.def.innerType._zod.values);
  defineLazyInternal(inst, "optin", (zod) => zod.def.innerType?._zod?.optin);
  defineLazyInternal(inst, "optout", (zod) => zod.def.innerType?._zod?.optout);
  inst._zod.parse = (payload, ctx) => {
    if (ctx.direction === "backward") {
      return def.innerType._zod.run(payload, ctx);
    }
    const result = def.innerType._zod.run(payload, ctx);
    if (result instanceof Promise) {
      return result.then(handleReadonlyResult);
    }
    return handleReadonlyResult(result);
  };
});
function handleReadonlyResult(payload) {
  if (!payload.memo)
    payload.value = Object.freeze(payload.value);
  return payload;
}
var $ZodCustom = /* @__PURE__ */ $constructor("$ZodCustom", (inst, def) => {
  $ZodCheck.init(inst, def);
  $ZodType.init(inst, def);
  inst._zod.parse = (payload, _) => {
    return payload;
  };
  inst._zod.check = (payload) => {
    const input = payload.value;
    const r = def.fn(input);
    if (r instanceof Promise) {
      return r.then((r2) => handleRefineResult(r2, payload, input, inst));
    }
    handleRefineResult(r, payload, input, inst);
    return;
  };
});
function handleRefineResult(result, payload, input, inst) {
  if (!result) {
    const _iss = {
      code: "custom",
      input,
      inst,
      // incorporates params.error into issue reporting
      path: [...inst._zod.def.path ?? []],
      // incorporates params.error into issue reporting
      continue: !inst._zod.def.abort
      // params: inst._zod.def.params,
    };
    if (inst._zod.def.params)
      _iss.params = inst._zod.def.params;
    payload.issues.push(issue(_iss));
  }
}

// node_modules/zod/v4/core/memoizer.js
var $ZodCyclicError = class extends Error {
  constructor() {
    super(`Cannot parse a reference cycle that closes through a transform`);
    this.name = "ZodCyclicError";
  }
};
var STATE = "~memo";
var NO_ISSUES = [];
function isRef(value) {
  return value !== null && typeof value === "object";
}
function cloneIssues(issues) {
  return issues.map((iss) => iss.path ? { ...iss, path: iss.path.slice() } : { ...iss });
}
var recursive = /* @__PURE__ */ new WeakMap();
var NONE = 0;
var ASSUMED = 1;
var PROVEN = 2;
function isRecursive(inst, stack, resolve) {
  const cached2 = recursive.get(inst);
  if (cached2 !== void 0)
    return cached2 ? PROVEN : NONE;
  if (stack.has(inst))
    return PROVEN;
  stack.add(inst);
  let result = NONE;
  const check2 = (child) => {
    if (result !== PROVEN && child?._zod) {
      const answer = isRecursive(child, stack, resolve);
      if (answer > result)
        result = answer;
    }
  };
  const shape = (sh, spread) => {
    let answer = NONE;
    for (const key2 of Reflect.ownKeys(sh)) {
      const desc2 = Object.getOwnPropertyDescriptor(sh, key2);
      if (spread && !desc2.enumerable)
        continue;
      const child = desc2.get ? ASSUMED : desc2.value?._zod ? isRecursive(desc2.value, stack, resolve) : NONE;
      if (child > answer)
        answer = child;
    }
    return answer;
  };
  const merge4 = (answer) => {
    if (answer > result)
      result = answer;
  };
  const def = inst._zod.def;
  const kind = def.type;
  switch (kind) {
    case "object": {
      const raw = rawShape(def);
      merge4(raw ? shape(raw, true) : ASSUMED);
      check2(def.catchall);
      break;
    }
    case "array":
      check2(def.element);
      break;
    case "tuple":
      for (const el of def.items)
        check2(el);
      check2(def.rest);
      break;
    case "record":
    case "map":
      check2(def.keyType);
      check2(def.valueType);
      break;
    case "set":
      check2(def.valueType);
      break;
    case "union":
      for (const el of def.options)
        check2(el);
      break;
    case "intersection":
      check2(def.left);
      check2(def.right);
      break;
    case "optional":
    case "nullable":
    case "default":
    case "prefault":
    case "catch":
    case "readonly":
    case "nonoptional":
    case "promise":
    case "success":
      check2(def.innerType);
      break;
    case "pipe":
      check2(def.in);
      check2(def.out);
      break;
    case "function":
      check2(def.input);
      check2(def.output);
      break;
    // `$ZodLazy` caches its inner on the def, so a resolved edge is followed exactly
    case "lazy": {
      const inner = def._cachedInner ?? (resolve ? inst._zod.innerType : void 0);
      merge4(inner ? isRecursive(inner, stack, false) : ASSUMED);
      break;
    }
    // a leaf by choice: `parts` are regex fragments, not data positions
    case "template_literal":
    // leaves
    case "string":
    case "number":
    case "int":
    case "boolean":
    case "bigint":
    case "symbol":
    case "undefined":
    case "null":
    case "void":
    case "never":
    case "any":
    case "unknown":
    case "date":
    case "nan":
    case "enum":
    case "literal":
    case "file":
    case "transform":
    case "custom":
      break;
    default: {
      kind;
      for (const key2 in def) {
        const desc2 = Object.getOwnPropertyDescriptor(def, key2);
        if (!desc2 || desc2.get)
          continue;
        const value = desc2.value;
        if (!value || typeof value !== "object")
          continue;
        if (value._zod)
          check2(value);
        else if (Array.isArray(value))
          for (const el of value)
            check2(el);
      }
    }
  }
  stack.delete(inst);
  return settle(inst, result);
}
function settle(inst, answer) {
  if (answer !== ASSUMED)
    recursive.set(inst, answer === PROVEN);
  return answer;
}
function bucketFor(state, inst) {
  let bucket = state.buckets.get(inst);
  if (!bucket) {
    bucket = /* @__PURE__ */ new WeakMap();
    state.buckets.set(inst, bucket);
  }
  return bucket;
}
var handoff;
var open = [];
var memo = {
  alloc(_inst, payload, empty) {
    const bucket = handoff;
    if (!bucket)
      return empty;
    handoff = void 0;
    const entry = { value: empty, issues: null };
    bucket.set(payload.value, entry);
    open.push(entry);
    return empty;
  },
  guard(inst) {
    var _a3;
    (_a3 = inst._zod).deferred ?? (_a3.deferred = []);
    inst._zod.deferred.push(() => {
      const base = inst._zod.parse;
      const wrapped = (payload, ctx) => {
        if (ctx.direction !== "backward" && isBackEdge(ctx, payload.value))
          throw new $ZodCyclicError();
        return base(payload, ctx);
      };
      inst._zod.parse = wrapped;
      if (inst._zod.run === base)
        inst._zod.run = wrapped;
    });
  },
  attach(inst) {
    var _a3;
    let isRecursiveInst;
    let rechecked = false;
    let lastCtx;
    let lastBucket;
    (_a3 = inst._zod).deferred ?? (_a3.deferred = []);
    inst._zod.deferred.push(() => {
      const base = inst._zod.parse;
      const wrapped = (payload, ctx) => {
        if (isRecursiveInst === void 0) {
          const walked = isRecursive(inst, /* @__PURE__ */ new Set(), false);
          if (walked === NONE) {
            inst._zod.parse = base;
            if (inst._zod.run === wrapped)
              inst._zod.run = base;
            return base(payload, ctx);
          }
          if (walked === PROVEN || rechecked)
            isRecursiveInst = true;
          else
            rechecked = true;
        }
        const input = payload.value;
        if (!isRef(input))
          return base(payload, ctx);
        let state = ctx[STATE];
        if (!state) {
          state = { buckets: /* @__PURE__ */ new WeakMap(), backEdges: void 0 };
          ctx[STATE] = state;
        }
        let bucket;
        if (lastCtx === ctx) {
          bucket = lastBucket;
        } else {
          bucket = bucketFor(state, inst);
          lastCtx = ctx;
          lastBucket = bucket;
        }
        const hit = bucket.get(input);
        if (hit) {
          payload.value = hit.value;
          if (hit.issues) {
            if (hit.issues.length)
              payload.issues.push(...cloneIssues(hit.issues));
          } else {
            payload.memo = true;
            state.backEdges ?? (state.backEdges = /* @__PURE__ */ new WeakSet());
            state.backEdges.add(hit.value);
          }
          return payload;
        }
        handoff = bucket;
        const depth = open.length;
        const result = base(payload, ctx);
        handoff = void 0;
        const entry = open.length > depth ? open.pop() : void 0;
        if (result instanceof Promise) {
          return result.then((r) => {
            if (entry)
              entry.issues = r.issues.length ? cloneIssues(r.issues) : NO_ISSUES;
            return r;
          });
        }
        if (entry)
          entry.issues = result.issues.length ? cloneIssues(result.issues) : NO_ISSUES;
        return result;
      };
      inst._zod.parse = wrapped;
      if (inst._zod.run === base)
        inst._zod.run = wrapped;
    });
  }
};
function memoizer() {
  return memo;
}
function isBackEdge(ctx, value) {
  const backEdges = ctx[STATE]?.backEdges;
  return backEdges !== void 0 && isRef(value) && backEdges.has(value);
}

// node_modules/zod/v4/locales/en.js
var error = () => {
  const Sizable = {
    string: { unit: "characters", verb: "to have" },
    file: { unit: "bytes", verb: "to have" },
    array: { unit: "items", verb: "to have" },
    set: { unit: "items", verb: "to have" },
    map: { unit: "entries", verb: "to have" }
  };
  function getSizing(origin) {
    return Sizable[origin] ?? null;
  }
  const FormatDictionary = {
    regex: "input",
    email: "email address",
    url: "URL",
    emoji: "emoji",
    uuid: "UUID",
    uuidv4: "UUIDv4",
    uuidv6: "UUIDv6",
    nanoid: "nanoid",
    guid: "GUID",
    cuid: "cuid",
    cuid2: "cuid2",
    ulid: "ULID",
    xid: "XID",
    ksuid: "KSUID",
    datetime: "ISO datetime",
    date: "ISO date",
    time: "ISO time",
    duration: "ISO duration",
    ipv4: "IPv4 address",
    ipv6: "IPv6 address",
    mac: "MAC address",
    cidrv4: "IPv4 range",
    cidrv6: "IPv6 range",
    base64: "base64-encoded string",
    base64url: "base64url-encoded string",
    json_string: "JSON string",
    e164: "E.164 number",
    currency_code: "currency code",
    credit_card: "credit card number",
    iban: "IBAN",
    jwt: "JWT",
    template_literal: "input"
  };
  const TypeDictionary = {
    // Compatibility: "nan" -> "NaN" for display
    nan: "NaN"
    // All other type names omitted - they fall back to raw values via ?? operator
  };
  function getTypeName(type, input) {
    if (type === "number" && typeof input === "number" && !Number.isFinite(input)) {
      return String(input);
    }
    return TypeDictionary[type] ?? type;
  }
  return (issue2) => {
    switch (issue2.code) {
      case "invalid_type": {
        const expected = getTypeName(issue2.expected);
        const receivedType = parsedType(issue2.input);
        const received = getTypeName(receivedType, issue2.input);
        return `Invalid input: expected ${expected}, received ${received}`;
      }
      case "invalid_value":
        if (issue2.values.length === 1)
          return `Invalid input: expected ${stringifyPrimitive(issue2.values[0])}`;
        return `Invalid option: expected one of ${joinValues(issue2.values, "|")}`;
      case "too_big": {
        const adj = issue2.exact ? "exactly " : issue2.inclusive ? "<=" : "<";
        const sizing = getSizing(issue2.origin);
        if (sizing)
          return `Too big: expected ${issue2.origin ?? "value"} to have ${adj}${issue2.maximum.toString()} ${sizing.unit ?? "elements"}`;
        return `Too big: expected ${issue2.origin ?? "value"} to be ${adj}${issue2.maximum.toString()}`;
      }
      case "too_small": {
        const adj = issue2.exact ? "exactly " : issue2.inclusive ? ">=" : ">";
        const sizing = getSizing(issue2.origin);
        if (sizing) {
          return `Too small: expected ${issue2.origin} to have ${adj}${issue2.minimum.toString()} ${sizing.unit}`;
        }
        return `Too small: expected ${issue2.origin} to be ${adj}${issue2.minimum.toString()}`;
      }
      case "invalid_format": {
        const _issue = issue2;
        if (_issue.format === "starts_with") {
          return `Invalid string: must start with "${_issue.prefix}"`;
        }
        if (_issue.format === "ends_with")
          return `Invalid string: must end with "${_issue.suffix}"`;
        if (_issue.format === "includes")
          return `Invalid string: must include "${_issue.includes}"`;
        if (_issue.format === "regex")
          return `Invalid string: must match pattern ${_issue.pattern}`;
        return `Invalid ${FormatDictionary[_issue.format] ?? issue2.format}`;
      }
      case "not_multiple_of":
        return `Invalid number: must be a multiple of ${issue2.divisor}`;
      case "unrecognized_keys":
        return `Unrecognized key${issue2.keys.length > 1 ? "s" : ""}: ${joinValues(issue2.keys, ", ")}`;
      case "invalid_key":
        return `Invalid key in ${issue2.origin}`;
      case "invalid_union":
        if (issue2.options && Array.isArray(issue2.options) && issue2.options.length > 0) {
          const opts = issue2.options.map((o) => `'${o}'`).join(" | ");
          return `Invalid discriminator value. Expected ${opts}`;
        }
        if (issue2.inclusive === false) {
          return "Invalid input: more than one option matched";
        }
        return "Invalid input";
      case "invalid_element":
        return `Invalid value in ${issue2.origin}`;
      default:
        return `Invalid input`;
    }
  };
};
function en_default() {
  return {
    localeError: error()
  };
}

// node_modules/zod/v4/core/registries.js
var _a2;
var $ZodRegistry = class {
  constructor() {
    this._map = /* @__PURE__ */ new WeakMap();
    this._idmap = /* @__PURE__ */ new Map();
  }
  add(schema, ..._meta) {
    const meta2 = _meta[0];
    this._map.set(schema, meta2);
    if (meta2 && typeof meta2 === "object" && "id" in meta2) {
      this._idmap.set(meta2.id, schema);
    }
    return this;
  }
  clear() {
    this._map = /* @__PURE__ */ new WeakMap();
    this._idmap = /* @__PURE__ */ new Map();
    return this;
  }
  remove(schema) {
    const meta2 = this._map.get(schema);
    if (meta2 && typeof meta2 === "object" && "id" in meta2) {
      this._idmap.delete(meta2.id);
    }
    this._map.delete(schema);
    return this;
  }
  get(schema) {
    const p = schema._zod.parent;
    if (p) {
      const pm = { ...this.get(p) ?? {} };
      delete pm.id;
      const f = { ...pm, ...this._map.get(schema) };
      return Object.keys(f).length ? f : void 0;
    }
    return this._map.get(schema);
  }
  has(schema) {
    return this._map.has(schema);
  }
};
function registry() {
  return new $ZodRegistry();
}
(_a2 = globalThis).__zod_globalRegistry ?? (_a2.__zod_globalRegistry = registry());
var globalRegistry = globalThis.__zod_globalRegistry;

// node_modules/zod/v4/core/api.js
function snapshotChecks(def) {
  if (def.checks)
    def.checks = [...def.checks];
  return def;
}
// @__NO_SIDE_EFFECTS__
function _string(Class2, params) {
  return new Class2(snapshotChecks({ type: "string", ...normalizeParams(params) }));
}
// @__NO_SIDE_EFFECTS__
function _coercedString(Class2, params) {
  return new Class2(snapshotChecks({ type: "string", coerce: true, ...normalizeParams(params) }));
}
// @__NO_SIDE_EFFECTS__
function _email(Class2, params) {
  return new Class2({
    type: "string",
    format: "email",
    check: "string_format",
    abort: false,
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _guid(Class2, params) {
  return new Class2({
    type: "string",
    format: "guid",
    check: "string_format",
    abort: false,
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _uuid(Class2, params) {
  return new Class2({
    type: "string",
    format: "uuid",
    check: "string_format",
    abort: false,
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _uuidv4(Class2, params) {
  return new Class2({
    type: "string",
    format: "uuid",
    check: "string_format",
    abort: false,
    version: "v4",
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _uuidv6(Class2, params) {
  return new Class2({
    type: "string",
    format: "uuid",
    check: "string_format",
    abort: false,
    version: "v6",
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _uuidv7(Class2, params) {
  return new Class2({
    type: "string",
    format: "uuid",
    check: "string_format",
    abort: false,
    version: "v7",
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _url(Class2, params) {
  return new Class2({
    type: "string",
    format: "url",
    check: "string_format",
    abort: false,
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _emoji2(Class2, params) {
  return new Class2({
    type: "string",
    format: "emoji",
    check: "string_format",
    abort: false,
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _nanoid(Class2, params) {
  return new Class2({
    type: "string",
    format: "nanoid",
    check: "string_format",
    abort: false,
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _cuid(Class2, params) {
  return new Class2({
    type: "string",
    format: "cuid",
    check: "string_format",
    abort: false,
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _cuid2(Class2, params) {
  return new Class2({
    type: "string",
    format: "cuid2",
    check: "string_format",
    abort: false,
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _ulid(Class2, params) {
  return new Class2({
    type: "string",
    format: "ulid",
    check: "string_format",
    abort: false,
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _xid(Class2, params) {
  return new Class2({
    type: "string",
    format: "xid",
    check: "string_format",
    abort: false,
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _ksuid(Class2, params) {
  return new Class2({
    type: "string",
    format: "ksuid",
    check: "string_format",
    abort: false,
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _ipv4(Class2, params) {
  return new Class2({
    type: "string",
    format: "ipv4",
    check: "string_format",
    abort: false,
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _ipv6(Class2, params) {
  return new Class2({
    type: "string",
    format: "ipv6",
    check: "string_format",
    abort: false,
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _cidrv4(Class2, params) {
  return new Class2({
    type: "string",
    format: "cidrv4",
    check: "string_format",
    abort: false,
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _cidrv6(Class2, params) {
  return new Class2({
    type: "string",
    format: "cidrv6",
    check: "string_format",
    abort: false,
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _base64(Class2, params) {
  return new Class2({
    type: "string",
    format: "base64",
    check: "string_format",
    abort: false,
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _base64url(Class2, params) {
  return new Class2({
    type: "string",
    format: "base64url",
    check: "string_format",
    abort: false,
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _e164(Class2, params) {
  return new Class2({
    type: "string",
    format: "e164",
    check: "string_format",
    abort: false,
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _jwt(Class2, params) {
  return new Class2({
    type: "string",
    format: "jwt",
    check: "string_format",
    abort: false,
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _isoDateTime(Class2, params) {
  return new Class2({
    type: "string",
    format: "datetime",
    check: "string_format",
    offset: false,
    local: false,
    precision: null,
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _isoDate(Class2, params) {
  return new Class2({
    type: "string",
    format: "date",
    check: "string_format",
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _isoTime(Class2, params) {
  return new Class2({
    type: "string",
    format: "time",
    check: "string_format",
    precision: null,
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _isoDuration(Class2, params) {
  return new Class2({
    type: "string",
    format: "duration",
    check: "string_format",
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _coercedNumber(Class2, params) {
  return new Class2(snapshotChecks({ type: "number", coerce: true, checks: [], ...normalizeParams(params) }));
}
// @__NO_SIDE_EFFECTS__
function _int(Class2, params) {
  return new Class2({
    type: "number",
    check: "number_format",
    abort: false,
    format: "safeint",
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _boolean(Class2, params) {
  return new Class2({
    type: "boolean",
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _coercedBoolean(Class2, params) {
  return new Class2({
    type: "boolean",
    coerce: true,
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _coercedBigint(Class2, params) {
  return new Class2({
    type: "bigint",
    coerce: true,
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _unknown(Class2) {
  return new Class2({
    type: "unknown"
  });
}
// @__NO_SIDE_EFFECTS__
function _never(Class2, params) {
  return new Class2({
    type: "never",
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _coercedDate(Class2, params) {
  return new Class2({
    type: "date",
    coerce: true,
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _lt(value, params) {
  return new $ZodCheckLessThan({
    check: "less_than",
    ...normalizeParams(params),
    value,
    inclusive: false
  });
}
// @__NO_SIDE_EFFECTS__
function _lte(value, params) {
  return new $ZodCheckLessThan({
    check: "less_than",
    ...normalizeParams(params),
    value,
    inclusive: true
  });
}
// @__NO_SIDE_EFFECTS__
function _gt(value, params) {
  return new $ZodCheckGreaterThan({
    check: "greater_than",
    ...normalizeParams(params),
    value,
    inclusive: false
  });
}
// @__NO_SIDE_EFFECTS__
function _gte(value, params) {
  return new $ZodCheckGreaterThan({
    check: "greater_than",
    ...normalizeParams(params),
    value,
    inclusive: true
  });
}
// @__NO_SIDE_EFFECTS__
function _multipleOf(value, params) {
  return new $ZodCheckMultipleOf({
    check: "multiple_of",
    ...normalizeParams(params),
    value
  });
}
// @__NO_SIDE_EFFECTS__
function _maxLength(maximum, params) {
  const ch = new $ZodCheckMaxLength({
    check: "max_length",
    ...normalizeParams(params),
    maximum
  });
  return ch;
}
// @__NO_SIDE_EFFECTS__
function _minLength(minimum, params) {
  return new $ZodCheckMinLength({
    check: "min_length",
    ...normalizeParams(params),
    minimum
  });
}
// @__NO_SIDE_EFFECTS__
function _length(length, params) {
  return new $ZodCheckLengthEquals({
    check: "length_equals",
    ...normalizeParams(params),
    length
  });
}
// @__NO_SIDE_EFFECTS__
function _regex(pattern, params) {
  return new $ZodCheckRegex({
    check: "string_format",
    format: "regex",
    ...normalizeParams(params),
    pattern
  });
}
// @__NO_SIDE_EFFECTS__
function _lowercase(params) {
  return new $ZodCheckLowerCase({
    check: "string_format",
    format: "lowercase",
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _uppercase(params) {
  return new $ZodCheckUpperCase({
    check: "string_format",
    format: "uppercase",
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _includes(includes2, params) {
  return new $ZodCheckIncludes({
    check: "string_format",
    format: "includes",
    ...normalizeParams(params),
    includes: includes2
  });
}
// @__NO_SIDE_EFFECTS__
function _startsWith(prefix, params) {
  return new $ZodCheckStartsWith({
    check: "string_format",
    format: "starts_with",
    ...normalizeParams(params),
    prefix
  });
}
// @__NO_SIDE_EFFECTS__
function _endsWith(suffix, params) {
  return new $ZodCheckEndsWith({
    check: "string_format",
    format: "ends_with",
    ...normalizeParams(params),
    suffix
  });
}
// @__NO_SIDE_EFFECTS__
function _overwrite(tx) {
  return new $ZodCheckOverwrite({
    check: "overwrite",
    tx
  });
}
// @__NO_SIDE_EFFECTS__
function _normalize(form) {
  return /* @__PURE__ */ _overwrite((input) => input.normalize(form));
}
// @__NO_SIDE_EFFECTS__
function _trim() {
  return /* @__PURE__ */ _overwrite((input) => input.trim());
}
// @__NO_SIDE_EFFECTS__
function _toLowerCase() {
  return /* @__PURE__ */ _overwrite((input) => input.toLowerCase());
}
// @__NO_SIDE_EFFECTS__
function _toUpperCase() {
  return /* @__PURE__ */ _overwrite((input) => input.toUpperCase());
}
// @__NO_SIDE_EFFECTS__
function _slugify() {
  return /* @__PURE__ */ _overwrite((input) => slugify(input));
}
// @__NO_SIDE_EFFECTS__
function _array(Class2, element, params) {
  return new Class2({
    type: "array",
    element,
    // get element() {
    //   return element;
    // },
    ...normalizeParams(params)
  });
}
// @__NO_SIDE_EFFECTS__
function _refine(Class2, fn, _params) {
  const schema = new Class2({
    type: "custom",
    check: "custom",
    fn,
    ...normalizeParams(_params)
  });
  return schema;
}
// @__NO_SIDE_EFFECTS__
function _superRefine(fn, params) {
  const ch = /* @__PURE__ */ _check((payload) => {
    payload.addIssue = (issue2) => {
      if (typeof issue2 === "string") {
        payload.issues.push(issue(issue2, payload.value, ch._zod.def));
      } else {
        const _issue = issue2;
        if (_issue.fatal)
          _issue.continue = false;
        _issue.code ?? (_issue.code = "custom");
        if (!("input" in _issue))
          _issue.input = payload.value;
        _issue.inst ?? (_issue.inst = ch);
        _issue.continue ?? (_issue.continue = !ch._zod.def.abort);
        payload.issues.push(issue(_issue));
      }
    };
    return fn(payload.value, payload);
  }, params);
  return ch;
}
// @__NO_SIDE_EFFECTS__
function _check(fn, params) {
  const ch = new $ZodCheck({
    check: "custom",
    ...normalizeParams(params)
  });
  ch._zod.check = fn;
  return ch;
}

// node_modules/zod/v4/core/to-json-schema.js
function assignProps(target, ...sources) {
  for (const source of sources) {
    for (const key2 of Reflect.ownKeys(source)) {
      if (Object.prototype.propertyIsEnumerable.call(source, key2)) {
        assignProp(target, key2, source[key2]);
      }
    }
  }
  return target;
}
function initializeContext(params) {
  let target = params?.target ?? "draft-2020-12";
  if (target === "draft-4")
    target = "draft-04";
  if (target === "draft-7")
    target = "draft-07";
  return {
    processors: params.processors ?? {},
    metadataRegistry: params?.metadata ?? globalRegistry,
    target,
    unrepresentable: params?.unrepresentable ?? "throw",
    override: params?.override ?? (() => {
    }),
    io: params?.io ?? "output",
    counter: 0,
    seen: /* @__PURE__ */ new Map(),
    sharedDefsExtractedFor: void 0,
    sharedEmitDoneFor: void 0,
    cycles: params?.cycles ?? "ref",
    reused: params?.reused ?? "inline",
    intersections: [],
    deferred: [],
    external: params?.external ?? void 0
  };
}
function handleUnrepresentable(schema, ctx, json, params, message) {
  const result = typeof ctx.unrepresentable === "function" ? ctx.unrepresentable({ zodSchema: schema, path: params.path, message }) : ctx.unrepresentable;
  if (result === "any")
    return false;
  if (result === void 0 || result === "throw")
    throw new Error(message);
  Object.assign(json, result);
  return true;
}
function processSchema(schema, ctx, _params = { path: [], schemaPath: [] }) {
  var _a3;
  const def = schema._zod.def;
  const seen2 = ctx.seen.get(schema);
  if (seen2) {
    seen2.count++;
    const isCycle = _params.schemaPath.includes(schema);
    if (isCycle) {
      seen2.cycle = _params.path;
    }
    return seen2.schema;
  }
  const result = { schema: {}, count: 1, cycle: void 0, path: _params.path };
  ctx.seen.set(schema, result);
  ctx.sharedDefsExtractedFor = void 0;
  ctx.sharedEmitDoneFor = void 0;
  const overrideSchema = schema._zod.toJSONSchema?.();
  if (overrideSchema) {
    result.schema = overrideSchema;
  } else {
    const params = {
      ..._params,
      schemaPath: [..._params.schemaPath, schema],
      path: _params.path
    };
    if (schema._zod.processJSONSchema) {
      schema._zod.processJSONSchema(ctx, result.schema, params);
    } else {
      const _json = result.schema;
      const processor = ctx.processors[def.type];
      if (!processor) {
        throw new Error(`[toJSONSchema]: Non-representable type encountered: ${def.type}`);
      }
      processor(schema, ctx, _json, params);
    }
    const parent = schema._zod.parent;
    if (parent) {
      if (!result.ref)
        result.ref = parent;
      processSchema(parent, ctx, params);
      ctx.seen.get(parent).isParent = true;
    }
  }
  const meta2 = ctx.metadataRegistry.get(schema);
  if (meta2)
    assignProps(result.schema, meta2);
  if (ctx.io === "input" && isTransforming(schema)) {
    delete result.schema.examples;
    delete result.schema.default;
  }
  if (ctx.io === "input" && "_prefault" in result.schema)
    (_a3 = result.schema).default ?? (_a3.default = result.schema._prefault);
  delete result.schema._prefault;
  const _result = ctx.seen.get(schema);
  return _result.schema;
}
function encodeJSONPointerSegment(segment) {
  return segment.replace(/~/g, "~0").replace(/\//g, "~1");
}
function extractDefs(ctx, schema) {
  const root = ctx.seen.get(schema);
  if (!root)
    throw new Error("Unprocessed schema. This is a bug in Zod.");
  if (ctx.external && ctx.sharedDefsExtractedFor === ctx.external)
    return;
  const idToSchema = /* @__PURE__ */ new Map();
  for (const entry of ctx.seen.entries()) {
    const id = ctx.metadataRegistry.get(entry[0])?.id;
    if (id) {
      const existing = idToSchema.get(id);
      if (existing && existing !== entry[0]) {
        throw new Error(`Duplicate schema id "${id}" detected during JSON Schema conversion. Two different schemas cannot share the same id when converted together.`);
      }
      idToSchema.set(id, entry[0]);
    }
  }
  const makeURI = (entry) => {
    const defsSegment = ctx.target === "draft-2020-12" ? "$defs" : "definitions";
    if (ctx.external) {
      const externalId = ctx.external.registry.get(entry[0])?.id;
      const uriGenerator = ctx.external.uri ?? ((id2) => id2);
      if (externalId) {
        return { ref: uriGenerator(externalId) };
      }
      const id = entry[1].defId ?? entry[1].schema.id ?? `schema${ctx.counter++}`;
      entry[1].defId = id;
      return { defId: id, ref: `${uriGenerator("__shared")}#/${defsSegment}/${encodeJSONPointerSegment(id)}` };
    }
    const uriPrefix = `#`;
    const defUriPrefix = `${uriPrefix}/${defsSegment}/`;
    if (entry[1] === root && !entry[1].schema.id) {
      return { ref: uriPrefix };
    }
    const defId = entry[1].schema.id ?? `__schema${ctx.counter++}`;
    return { defId, ref: defUriPrefix + encodeJSONPointerSegment(defId) };
  };
  const extractToDef = (entry) => {
    if (entry[1].schema.$ref) {
      return;
    }
    const seen2 = entry[1];
    const { ref, defId } = makeURI(entry);
    seen2.def = { ...seen2.schema };
    if (defId)
      seen2.defId = defId;
    const schema2 = seen2.schema;
    for (const key2 in schema2) {
      delete schema2[key2];
    }
    schema2.$ref = ref;
  };
  if (ctx.cycles === "throw") {
    for (const entry of ctx.seen.entries()) {
      const seen2 = entry[1];
      if (seen2.cycle) {
        throw new Error(`Cycle detected: #/${seen2.cycle?.join("/")}/<root>

Set the \`cycles\` parameter to \`"ref"\` to resolve cyclical schemas with defs.`);
      }
    }
  }
  for (const entry of ctx.seen.entries()) {
    const seen2 = entry[1];
    if (schema === entry[0]) {
      extractToDef(entry);
      continue;
    }
    if (ctx.external) {
      const ext = ctx.external.registry.get(entry[0])?.id;
      if (schema !== entry[0] && ext) {
        extractToDef(entry);
        continue;
      }
    }
    const id = ctx.metadataRegistry.get(entry[0])?.id;
    if (id) {
      extractToDef(entry);
      continue;
    }
    if (seen2.cycle) {
      extractToDef(entry);
      continue;
    }
    if (seen2.count > 1) {
      if (ctx.reused === "ref") {
        extractToDef(entry);
      }
    }
  }
  if (ctx.external)
    ctx.sharedDefsExtractedFor = ctx.external;
}
function compactTypeUnion(schema) {
  const options = schema.anyOf;
  if (!Array.isArray(options) || options.length === 0 || schema.type !== void 0)
    return;
  const types = [];
  for (const option of options) {
    if (!option || typeof option !== "object")
      return;
    compactTypeUnion(option);
    const keys = Object.keys(option);
    if (keys.length !== 1 || keys[0] !== "type")
      return;
    const type = option.type;
    for (const member of Array.isArray(type) ? type : [type]) {
      if (typeof member !== "string")
        return;
      if (!types.includes(member))
        types.push(member);
    }
  }
  delete schema.anyOf;
  schema.type = types.length === 1 ? types[0] : types;
}
var FOLDABLE_KEYS = /* @__PURE__ */ new Set(["type", "properties", "required", "additionalProperties"]);
var UNION_KEYS = ["oneOf", "anyOf"];
function undeclaredConstraint(member) {
  const extra = member.additionalProperties;
  if (extra === void 0 || extra === false || typeof extra !== "object" || extra === null)
    return null;
  return Object.keys(extra).length ? extra : null;
}
function foldObjects(members2) {
  const objects = [];
  for (const member of members2) {
    if (typeof member !== "object" || member.type !== "object")
      return null;
    for (const key2 in member) {
      if (!FOLDABLE_KEYS.has(key2))
        return null;
    }
    objects.push(member);
  }
  const properties = {};
  const required2 = /* @__PURE__ */ new Set();
  for (const object2 of objects) {
    for (const key2 in object2.properties) {
      if (Object.prototype.hasOwnProperty.call(properties, key2))
        continue;
      const parts = [];
      for (const other of objects) {
        const part = other.properties?.[key2] ?? undeclaredConstraint(other);
        if (part === null || part === void 0)
          continue;
        if (!parts.some((seen2) => JSON.stringify(seen2) === JSON.stringify(part)))
          parts.push(part);
      }
      const merged = parts.length === 1 ? parts[0] : foldObjects(parts) ?? { allOf: parts };
      assignProp(properties, key2, merged);
    }
    for (const key2 of object2.required ?? [])
      required2.add(key2);
  }
  const folded = { type: "object", properties };
  if (required2.size)
    folded.required = [...required2];
  if (objects.every((object2) => object2.additionalProperties === false)) {
    folded.additionalProperties = false;
  } else {
    const constraints = [];
    for (const object2 of objects) {
      const constraint = undeclaredConstraint(object2);
      if (constraint && !constraints.some((seen2) => JSON.stringify(seen2) === JSON.stringify(constraint)))
        constraints.push(constraint);
    }
    if (constraints.length === 1)
      folded.additionalProperties = constraints[0];
    else if (constraints.length > 1)
      folded.additionalProperties = { allOf: constraints };
  }
  return folded;
}
function foldIntersection(json) {
  const allOf = json.allOf;
  if (!Array.isArray(allOf) || allOf.length < 2)
    return;
  for (const key2 of FOLDABLE_KEYS)
    if (key2 in json)
      return;
  const unions = allOf.filter((m) => UNION_KEYS.some((k) => Array.isArray(m[k])));
  let folded = null;
  if (!unions.length) {
    folded = foldObjects(allOf);
  } else {
    const union2 = unions[0];
    const keyword = UNION_KEYS.find((k) => Array.isArray(union2[k]));
    if (Object.keys(union2).length !== 1)
      return;
    const rest = allOf.filter((m) => m !== union2);
    const branches = union2[keyword].map((branch) => foldObjects([...rest, branch]));
    if (branches.some((b) => !b))
      return;
    folded = { [keyword]: branches };
  }
  if (!folded)
    return;
  delete json.allOf;
  assignProps(json, folded);
}
function finalize(ctx, schema) {
  const root = ctx.seen.get(schema);
  if (!root)
    throw new Error("Unprocessed schema. This is a bug in Zod.");
  const flattenRef = (zodSchema) => {
    const seen2 = ctx.seen.get(zodSchema);
    if (seen2.ref === null)
      return;
    const schema2 = seen2.def ?? seen2.schema;
    const _cached = { ...schema2 };
    const ref = seen2.ref;
    seen2.ref = null;
    if (ref) {
      flattenRef(ref);
      const refSeen = ctx.seen.get(ref);
      const refSchema = refSeen.schema;
      if (refSchema.$ref && (ctx.target === "draft-07" || ctx.target === "draft-04" || ctx.target === "openapi-3.0")) {
        schema2.allOf = schema2.allOf ?? [];
        schema2.allOf.push(refSchema);
      } else {
        assignProps(schema2, refSchema);
      }
      assignProps(schema2, _cached);
      const isParentRef = zodSchema._zod.parent === ref;
      if (isParentRef) {
        for (const key2 in schema2) {
          if (key2 === "$ref" || key2 === "allOf")
            continue;
          if (!(key2 in _cached)) {
            delete schema2[key2];
          }
        }
      }
      if (refSchema.$ref && refSeen.def) {
        for (const key2 in schema2) {
          if (key2 === "$ref" || key2 === "allOf")
            continue;
          if (key2 in refSeen.def && JSON.stringify(schema2[key2]) === JSON.stringify(refSeen.def[key2])) {
            delete schema2[key2];
          }
        }
      }
    }
    const parent = zodSchema._zod.parent;
    if (parent && parent !== ref) {
      flattenRef(parent);
      const parentSeen = ctx.seen.get(parent);
      if (parentSeen?.schema.$ref) {
        schema2.$ref = parentSeen.schema.$ref;
        if (parentSeen.def) {
          for (const key2 in schema2) {
            if (key2 === "$ref" || key2 === "allOf")
              continue;
            if (key2 in parentSeen.def && JSON.stringify(schema2[key2]) === JSON.stringify(parentSeen.def[key2])) {
              delete schema2[key2];
            }
          }
        }
      }
    }
    ctx.override({
      zodSchema,
      jsonSchema: schema2,
      path: seen2.path ?? []
    });
  };
  if (!ctx.external || ctx.sharedEmitDoneFor !== ctx.external) {
    for (const entry of [...ctx.seen.entries()].reverse()) {
      flattenRef(entry[0]);
    }
    if (ctx.target !== "openapi-3.0") {
      for (const entry of ctx.seen.entries()) {
        compactTypeUnion(entry[1].def ?? entry[1].schema);
      }
    }
    for (const rewrite of ctx.deferred)
      rewrite();
    if (ctx.intersections.length) {
      const carriers = /* @__PURE__ */ new Map();
      for (const seen2 of ctx.seen.values()) {
        for (const json of [seen2.schema, seen2.def]) {
          const allOf = json?.allOf;
          if (!Array.isArray(allOf))
            continue;
          const existing = carriers.get(allOf);
          if (existing)
            existing.push(json);
          else
            carriers.set(allOf, [json]);
        }
      }
      for (const allOf of ctx.intersections) {
        for (const json of carriers.get(allOf) ?? [])
          foldIntersection(json);
      }
    }
  }
  const result = {};
  if (ctx.target === "draft-2020-12") {
    result.$schema = "https://json-schema.org/draft/2020-12/schema";
  } else if (ctx.target === "draft-07") {
    result.$schema = "http://json-schema.org/draft-07/schema#";
  } else if (ctx.target === "draft-04") {
    result.$schema = "http://json-schema.org/draft-04/schema#";
  } else if (ctx.target === "openapi-3.0") {
  } else {
  }
  if (ctx.external?.uri) {
    const id = ctx.external.registry.get(schema)?.id;
    if (!id)
      throw new Error("Schema is missing an `id` property");
    result.$id = ctx.external.uri(id);
  }
  assignProps(result, root.defId ? root.schema : root.def ?? root.schema);
  const rootMetaId = ctx.metadataRegistry.get(schema)?.id;
  if (rootMetaId !== void 0 && result.id === rootMetaId)
    delete result.id;
  const defs = ctx.external?.defs ?? {};
  if (!ctx.external || ctx.sharedEmitDoneFor !== ctx.external) {
    for (const entry of ctx.seen.entries()) {
      const seen2 = entry[1];
      if (seen2.def && seen2.defId) {
        if (seen2.def.id === seen2.defId)
          delete seen2.def.id;
        assignProp(defs, seen2.defId, seen2.def);
      }
    }
  }
  if (ctx.external)
    ctx.sharedEmitDoneFor = ctx.external;
  if (ctx.external) {
  } else {
    if (Object.keys(defs).length > 0) {
      if (ctx.target === "draft-2020-12") {
        result.$defs = defs;
      } else {
        result.definitions = defs;
      }
    }
  }
  try {
    const finalized = JSON.parse(JSON.stringify(result));
    Object.defineProperty(finalized, "~standard", {
      value: {
        ...schema["~standard"],
        jsonSchema: {
          input: createStandardJSONSchemaMethod(schema, "input", ctx.processors),
          output: createStandardJSONSchemaMethod(schema, "output", ctx.processors)
        }
      },
      enumerable: false,
      writable: false
    });
    return finalized;
  } catch (_err) {
    throw new Error("Error converting schema to JSON.");
  }
}
function isTransforming(_schema, _ctx) {
  const ctx = _ctx ?? { seen: /* @__PURE__ */ new Set() };
  if (ctx.seen.has(_schema))
    return false;
  ctx.seen.add(_schema);
  const def = _schema._zod.def;
  if (def.type === "transform")
    return true;
  if (def.type === "array")
    return isTransforming(def.element, ctx);
  if (def.type === "set")
    return isTransforming(def.valueType, ctx);
  if (def.type === "lazy")
    return isTransforming(def.getter(), ctx);
  if (def.type === "promise" || def.type === "optional" || def.type === "nonoptional" || def.type === "nullable" || def.type === "readonly" || def.type === "default" || def.type === "prefault" || def.type === "catch") {
    return isTransforming(def.innerType, ctx);
  }
  if (def.type === "intersection") {
    return isTransforming(def.left, ctx) || isTransforming(def.right, ctx);
  }
  if (def.type === "record" || def.type === "map") {
    return isTransforming(def.keyType, ctx) || isTransforming(def.valueType, ctx);
  }
  if (def.type === "pipe") {
    if (_schema._zod.traits.has("$ZodCodec"))
      return true;
    return isTransforming(def.in, ctx) || isTransforming(def.out, ctx);
  }
  if (def.type === "object") {
    for (const key2 in def.shape) {
      if (isTransforming(def.shape[key2], ctx))
        return true;
    }
    return false;
  }
  if (def.type === "union") {
    for (const option of def.options) {
      if (isTransforming(option, ctx))
        return true;
    }
    return false;
  }
  if (def.type === "tuple") {
    for (const item of def.items) {
      if (isTransforming(item, ctx))
        return true;
    }
    if (def.rest && isTransforming(def.rest, ctx))
      return true;
    return false;
  }
  return false;
}
var createToJSONSchemaMethod = (schema, processors = {}) => (params) => {
  const ctx = initializeContext({ ...params, processors });
  processSchema(schema, ctx);
  extractDefs(ctx, schema);
  return finalize(ctx, schema);
};
var createStandardJSONSchemaMethod = (schema, io, processors = {}) => (params) => {
  const { libraryOptions, target } = params ?? {};
  const ctx = initializeContext({ ...libraryOptions ?? {}, target, io, processors });
  processSchema(schema, ctx);
  extractDefs(ctx, schema);
  return finalize(ctx, schema);
};

// node_modules/zod/v4/core/json-schema-processors.js
var narrowMin = (agg, key2, value) => {
  if (agg[key2] === void 0 || value > agg[key2])
    agg[key2] = value;
};
var narrowMax = (agg, key2, value) => {
  if (agg[key2] === void 0 || value < agg[key2])
    agg[key2] = value;
};
var narrowBoth = (agg, value) => {
  narrowMin(agg, "minimum", value);
  narrowMax(agg, "maximum", value);
};
var addDivisor = (agg, value) => {
  agg.multipleOf ?? (agg.multipleOf = []);
  if (!agg.multipleOf.includes(value))
    agg.multipleOf.push(value);
};
var addPattern = (agg, pattern) => {
  agg.patterns ?? (agg.patterns = /* @__PURE__ */ new Set());
  agg.patterns.add(pattern);
};
var intersectMime = (agg, mime) => {
  agg.mime = agg.mime ? agg.mime.filter((m) => mime.includes(m)) : [...mime];
};
var setFormat = (agg, format) => {
  agg.format = format;
  if (format.includes("int"))
    agg.isInt = true;
};
var minContributor = (agg, def) => narrowMin(agg, "minimum", def.minimum);
var maxContributor = (agg, def) => narrowMax(agg, "maximum", def.maximum);
var formatContributor = (ranges) => (agg, def) => {
  setFormat(agg, def.format);
  const [minimum, maximum] = ranges[def.format];
  narrowMin(agg, "minimum", minimum);
  narrowMax(agg, "maximum", maximum);
};
var contributors = {
  greater_than: (agg, def) => narrowMin(agg, def.inclusive ? "minimum" : "exclusiveMinimum", def.value),
  less_than: (agg, def) => narrowMax(agg, def.inclusive ? "maximum" : "exclusiveMaximum", def.value),
  multiple_of: (agg, def) => addDivisor(agg, def.value),
  number_format: formatContributor(NUMBER_FORMAT_RANGES),
  bigint_format: formatContributor(BIGINT_FORMAT_RANGES),
  min_length: minContributor,
  max_length: maxContributor,
  length_equals: (agg, def) => narrowBoth(agg, def.length),
  min_size: minContributor,
  max_size: maxContributor,
  size_equals: (agg, def) => narrowBoth(agg, def.size),
  string_format: (agg, def) => {
    setFormat(agg, def.format);
    if (def.pattern)
      addPattern(agg, def.pattern);
    if (def.format === "base64" || def.format === "base64url")
      agg.contentEncoding = def.format;
    if (def.local || def.precision === -1)
      agg.laxFormat = true;
  },
  mime_type: (agg, def) => intersectMime(agg, def.mime)
};
function aggregateChecks(schema) {
  const agg = {};
  const def = schema._zod.def;
  const list2 = schema._zod.traits.has("$ZodCheck") ? [schema, ...def.checks ?? []] : def.checks ?? [];
  for (const ch of list2)
    contributors[ch._zod.def.check]?.(agg, ch._zod.def);
  const bag = schema._zod.bag;
  if (bag.minimum !== void 0)
    narrowMin(agg, "minimum", bag.minimum);
  if (bag.exclusiveMinimum !== void 0)
    narrowMin(agg, "exclusiveMinimum", bag.exclusiveMinimum);
  if (bag.maximum !== void 0)
    narrowMax(agg, "maximum", bag.maximum);
  if (bag.exclusiveMaximum !== void 0)
    narrowMax(agg, "exclusiveMaximum", bag.exclusiveMaximum);
  if (bag.multipleOf !== void 0)
    addDivisor(agg, bag.multipleOf);
  if (bag.format !== void 0) {
    agg.format ?? (agg.format = bag.format);
    if (bag.format.includes("int"))
      agg.isInt = true;
  }
  if (bag.mime)
    intersectMime(agg, bag.mime);
  for (const pattern of bag.patterns ?? [])
    addPattern(agg, pattern);
  return agg;
}
var formatMap = {
  guid: "uuid",
  url: "uri",
  datetime: "date-time",
  json_string: "json-string",
  regex: ""
  // do not set
};
var exactPatterns = /* @__PURE__ */ new Map([
  [base64Charset, base64],
  [base64urlCharset, base64url]
]);
var exactPattern = (p) => exactPatterns.get(p) ?? p;
var stringProcessor = (schema, ctx, _json, _params) => {
  const json = _json;
  json.type = "string";
  const { minimum, maximum, format, patterns, contentEncoding, laxFormat } = aggregateChecks(schema);
  if (typeof minimum === "number")
    json.minLength = minimum;
  if (typeof maximum === "number")
    json.maxLength = maximum;
  if (format) {
    json.format = formatMap[format] ?? format;
    if (json.format === "")
      delete json.format;
    if (format === "time" || laxFormat) {
      delete json.format;
    }
  }
  if (contentEncoding)
    json.contentEncoding = contentEncoding;
  if (patterns && patterns.size > 0) {
    const patternList = [...patterns].map(exactPattern);
    if (patternList.length === 1)
      json.pattern = patternList[0].source;
    else if (patternList.length > 1) {
      json.allOf = [
        ...patternList.map((regex) => ({
          ...ctx.target === "draft-07" || ctx.target === "draft-04" || ctx.target === "openapi-3.0" ? { type: "string" } : {},
          pattern: regex.source
        }))
      ];
    }
  }
};
var numberProcessor = (schema, ctx, _json, params) => {
  const json = _json;
  const { minimum, maximum, multipleOf, exclusiveMaximum, exclusiveMinimum, isInt } = aggregateChecks(schema);
  json.type = isInt ? "integer" : "number";
  const exMin = typeof exclusiveMinimum === "number" && exclusiveMinimum >= (minimum ?? Number.NEGATIVE_INFINITY);
  const exMax = typeof exclusiveMaximum === "number" && exclusiveMaximum <= (maximum ?? Number.POSITIVE_INFINITY);
  const legacy = ctx.target === "draft-04" || ctx.target === "openapi-3.0";
  if (exMin) {
    if (legacy) {
      json.minimum = exclusiveMinimum;
      json.exclusiveMinimum = true;
    } else {
      json.exclusiveMinimum = exclusiveMinimum;
    }
  } else if (typeof minimum === "number") {
    json.minimum = minimum;
  }
  if (exMax) {
    if (legacy) {
      json.maximum = exclusiveMaximum;
      json.exclusiveMaximum = true;
    } else {
      json.exclusiveMaximum = exclusiveMaximum;
    }
  } else if (typeof maximum === "number") {
    json.maximum = maximum;
  }
  if (multipleOf) {
    const divisors = /* @__PURE__ */ new Set();
    for (const divisor of multipleOf) {
      if (Number.isFinite(divisor) && divisor !== 0)
        divisors.add(Math.abs(divisor));
      else
        handleUnrepresentable(schema, ctx, json, params, `A multipleOf divisor of ${divisor} cannot be represented in JSON Schema`);
    }
    const [first, ...rest] = divisors;
    if (first !== void 0)
      json.multipleOf = first;
    if (rest.length)
      json.allOf = [...json.allOf ?? [], ...rest.map((m) => ({ multipleOf: m }))];
  }
};
var booleanProcessor = (_schema, _ctx, json, _params) => {
  json.type = "boolean";
};
var bigintProcessor = (schema, ctx, json, params) => {
  handleUnrepresentable(schema, ctx, json, params, "BigInt cannot be represented in JSON Schema");
};
var neverProcessor = (_schema, _ctx, json, _params) => {
  json.not = {};
};
var unknownProcessor = (_schema, _ctx, _json, _params) => {
};
var dateProcessor = (schema, ctx, json, params) => {
  handleUnrepresentable(schema, ctx, json, params, "Date cannot be represented in JSON Schema");
};
var enumProcessor = (schema, _ctx, json, _params) => {
  const def = schema._zod.def;
  const values = getEnumValues(def.entries);
  if (values.length === 0) {
    json.not = {};
    return;
  }
  if (values.every((v) => typeof v === "number"))
    json.type = "number";
  if (values.every((v) => typeof v === "string"))
    json.type = "string";
  json.enum = values;
};
var literalProcessor = (schema, ctx, json, params) => {
  const def = schema._zod.def;
  if (def.values.length === 0) {
    json.not = {};
    return;
  }
  const vals = [];
  for (const val of def.values) {
    if (val === void 0) {
      if (handleUnrepresentable(schema, ctx, json, params, "Literal `undefined` cannot be represented in JSON Schema"))
        return;
    } else if (typeof val === "bigint") {
      if (handleUnrepresentable(schema, ctx, json, params, "BigInt literals cannot be represented in JSON Schema"))
        return;
      vals.push(Number(val));
    } else {
      vals.push(val);
    }
  }
  if (vals.length === 0) {
  } else if (vals.length === 1) {
    const val = vals[0];
    json.type = val === null ? "null" : typeof val;
    if (ctx.target === "draft-04" || ctx.target === "openapi-3.0") {
      json.enum = [val];
    } else {
      json.const = val;
    }
  } else {
    if (vals.every((v) => typeof v === "number"))
      json.type = "number";
    if (vals.every((v) => typeof v === "string"))
      json.type = "string";
    if (vals.every((v) => typeof v === "boolean"))
      json.type = "boolean";
    if (vals.every((v) => v === null))
      json.type = "null";
    json.enum = vals;
  }
};
var customProcessor = (schema, ctx, json, params) => {
  handleUnrepresentable(schema, ctx, json, params, "Custom types cannot be represented in JSON Schema");
};
var transformProcessor = (schema, ctx, json, params) => {
  handleUnrepresentable(schema, ctx, json, params, "Transforms cannot be represented in JSON Schema");
};
var arrayProcessor = (schema, ctx, _json, params) => {
  const json = _json;
  const def = schema._zod.def;
  const { minimum, maximum } = aggregateChecks(schema);
  if (typeof minimum === "number")
    json.minItems = minimum;
  if (typeof maximum === "number")
    json.maxItems = maximum;
  json.type = "array";
  json.items = processSchema(def.element, ctx, {
    ...params,
    path: [...params.path, "items"]
  });
};
function inputOptin(schema) {
  const def = schema._zod.def;
  if (def.type === "pipe" && def.in._zod.traits.has("$ZodTransform")) {
    return inputOptin(def.out);
  }
  if (def.type === "catch") {
    return inputOptin(def.innerType);
  }
  return schema._zod.optin;
}
var objectProcessor = (schema, ctx, _json, params) => {
  const json = _json;
  const def = schema._zod.def;
  const shape = def.shape;
  const symbolKeys = Object.getOwnPropertySymbols(shape);
  if (symbolKeys.length && handleUnrepresentable(schema, ctx, json, params, "Symbol keys cannot be represented in JSON Schema")) {
    return;
  }
  json.type = "object";
  json.properties = {};
  for (const key2 in shape) {
    assignProp(json.properties, key2, processSchema(shape[key2], ctx, {
      ...params,
      path: [...params.path, "properties", key2]
    }));
  }
  const requiredKeys = [];
  for (const key2 of Object.keys(shape)) {
    const field = def.shape[key2];
    if (ctx.io === "input" ? inputOptin(field) === void 0 : field._zod.optout === void 0) {
      requiredKeys.push(key2);
    }
  }
  if (requiredKeys.length > 0) {
    json.required = requiredKeys;
  }
  if (def.catchall?._zod.def.type === "never") {
    json.additionalProperties = false;
  } else if (!def.catchall) {
    if (ctx.io === "output")
      json.additionalProperties = false;
  } else if (def.catchall) {
    json.additionalProperties = processSchema(def.catchall, ctx, {
      ...params,
      path: [...params.path, "additionalProperties"]
    });
  }
};
var unionProcessor = (schema, ctx, json, params) => {
  const def = schema._zod.def;
  const isExclusive = def.inclusive === false;
  const options = def.options.map((x, i) => processSchema(x, ctx, {
    ...params,
    path: [...params.path, isExclusive ? "oneOf" : "anyOf", i]
  }));
  if (isExclusive) {
    json.oneOf = options;
  } else {
    json.anyOf = options;
  }
};
var intersectionProcessor = (schema, ctx, json, params) => {
  const def = schema._zod.def;
  const a = processSchema(def.left, ctx, {
    ...params,
    path: [...params.path, "allOf", 0]
  });
  const b = processSchema(def.right, ctx, {
    ...params,
    path: [...params.path, "allOf", 1]
  });
  const isSimpleIntersection = (val) => "allOf" in val && Object.keys(val).length === 1;
  const allOf = [
    ...isSimpleIntersection(a) ? a.allOf : [a],
    ...isSimpleIntersection(b) ? b.allOf : [b]
  ];
  json.allOf = allOf;
  ctx.intersections.push(allOf);
};
function stringifyKeyNames(bySchema, json, visited) {
  if (json.$ref) {
    if (visited.has(json))
      return json;
    visited.add(json);
    const def = bySchema.get(json)?.def;
    if (!def)
      return json;
    const inlined = stringifyKeyNames(bySchema, def, visited);
    return inlined === def ? json : inlined;
  }
  for (const keyword of ["anyOf", "oneOf"]) {
    const branches = json[keyword];
    if (!Array.isArray(branches))
      continue;
    const mapped = branches.map((branch) => stringifyKeyNames(bySchema, branch, visited));
    if (mapped.some((branch, i) => branch !== branches[i]))
      json = { ...json, [keyword]: mapped };
  }
  const types = Array.isArray(json.type) ? json.type : [json.type];
  const numericType = !types.includes("string") && types.some((t) => t === "number" || t === "integer");
  const values = json.enum ?? (json.const !== void 0 ? [json.const] : void 0);
  if (!numericType && !values?.some((v) => typeof v === "number"))
    return json;
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, format, id, ...rest } = json;
  if (rest.enum)
    rest.enum = rest.enum.map((v) => typeof v === "number" ? String(v) : v);
  else if (typeof rest.const === "number")
    rest.const = String(rest.const);
  if (!numericType)
    return rest;
  rest.type = "string";
  if (!values)
    rest.pattern = (types.includes("number") ? number : integer).source;
  return rest;
}
var pendingRecords = /* @__PURE__ */ new WeakMap();
function rewriteKeyNames(ctx) {
  const bySchema = /* @__PURE__ */ new Map();
  for (const entry of ctx.seen.values()) {
    if (entry.def && !bySchema.has(entry.schema))
      bySchema.set(entry.schema, entry);
  }
  const rewrites = /* @__PURE__ */ new Map();
  for (const record5 of pendingRecords.get(ctx) ?? []) {
    const seen2 = ctx.seen.get(record5);
    const names = (seen2?.def ?? seen2?.schema)?.propertyNames;
    if (!names || names === true || rewrites.has(names))
      continue;
    const rewritten = stringifyKeyNames(bySchema, names, /* @__PURE__ */ new Set());
    if (rewritten !== names)
      rewrites.set(names, rewritten);
  }
  if (!rewrites.size)
    return;
  for (const entry of ctx.seen.values()) {
    for (const carrier of [entry.schema, entry.def]) {
      const rewritten = carrier && rewrites.get(carrier.propertyNames);
      if (rewritten)
        carrier.propertyNames = rewritten;
    }
  }
}
var recordProcessor = (schema, ctx, _json, params) => {
  const json = _json;
  const def = schema._zod.def;
  json.type = "object";
  const keyType = def.keyType;
  const patterns = aggregateChecks(keyType).patterns;
  if (def.mode === "loose" && patterns && patterns.size > 0) {
    const valueSchema = processSchema(def.valueType, ctx, {
      ...params,
      path: [...params.path, "patternProperties", "*"]
    });
    json.patternProperties = {};
    for (const pattern of patterns) {
      assignProp(json.patternProperties, exactPattern(pattern).source, valueSchema);
    }
  } else {
    if (ctx.target === "draft-07" || ctx.target === "draft-2020-12") {
      json.propertyNames = processSchema(def.keyType, ctx, {
        ...params,
        path: [...params.path, "propertyNames"]
      });
      let pending = pendingRecords.get(ctx);
      if (!pending) {
        pending = [];
        pendingRecords.set(ctx, pending);
        ctx.deferred.push(() => rewriteKeyNames(ctx));
      }
      pending.push(schema);
    }
    json.additionalProperties = processSchema(def.valueType, ctx, {
      ...params,
      path: [...params.path, "additionalProperties"]
    });
  }
  const keyValues = keyType._zod.values;
  const omittableOnInput = ctx.io === "input" && inputOptin(def.valueType) !== void 0;
  if (keyValues && !def.partial && !omittableOnInput) {
    const validKeyValues = [...keyValues].filter((v) => typeof v === "string" || typeof v === "number");
    if (validKeyValues.length > 0) {
      json.required = validKeyValues.map(String);
    }
  }
};
var nullableProcessor = (schema, ctx, json, params) => {
  const def = schema._zod.def;
  const inner = processSchema(def.innerType, ctx, params);
  const seen2 = ctx.seen.get(schema);
  if (ctx.target === "openapi-3.0") {
    seen2.ref = def.innerType;
    json.nullable = true;
  } else {
    json.anyOf = [inner, { type: "null" }];
  }
};
var nonoptionalProcessor = (schema, ctx, _json, params) => {
  const def = schema._zod.def;
  processSchema(def.innerType, ctx, params);
  const seen2 = ctx.seen.get(schema);
  seen2.ref = def.innerType;
};
var UNREPRESENTABLE_DEFAULT = /* @__PURE__ */ Symbol();
function serializeDefaultValue(value, schema, ctx, json, params) {
  let unrepresentable = false;
  const serialized = JSON.stringify(value, (_, val) => {
    if (typeof val !== "bigint")
      return val;
    unrepresentable = true;
    return null;
  });
  if (!unrepresentable)
    return JSON.parse(serialized);
  handleUnrepresentable(schema, ctx, json, params, "BigInt defaults cannot be represented in JSON Schema");
  return UNREPRESENTABLE_DEFAULT;
}
var defaultProcessor = (schema, ctx, json, params) => {
  const def = schema._zod.def;
  processSchema(def.innerType, ctx, params);
  const seen2 = ctx.seen.get(schema);
  seen2.ref = def.innerType;
  const value = serializeDefaultValue(def.defaultValue, schema, ctx, json, params);
  if (value !== UNREPRESENTABLE_DEFAULT)
    json.default = value;
};
var prefaultProcessor = (schema, ctx, json, params) => {
  const def = schema._zod.def;
  processSchema(def.innerType, ctx, params);
  const seen2 = ctx.seen.get(schema);
  seen2.ref = def.innerType;
  if (ctx.io !== "input")
    return;
  const value = serializeDefaultValue(def.defaultValue, schema, ctx, json, params);
  if (value !== UNREPRESENTABLE_DEFAULT)
    json._prefault = value;
};
var catchProcessor = (schema, ctx, json, params) => {
  const def = schema._zod.def;
  processSchema(def.innerType, ctx, params);
  const seen2 = ctx.seen.get(schema);
  seen2.ref = def.innerType;
  let catchValue;
  try {
    catchValue = def.catchValue(void 0);
  } catch {
    handleUnrepresentable(schema, ctx, json, params, "Dynamic catch values are not supported in JSON Schema");
    return;
  }
  json.default = catchValue;
};
var pipeProcessor = (schema, ctx, _json, params) => {
  const def = schema._zod.def;
  const inIsTransform = def.in._zod.traits.has("$ZodTransform");
  const innerType = ctx.io === "input" ? inIsTransform ? def.out : def.in : def.out;
  processSchema(innerType, ctx, params);
  const seen2 = ctx.seen.get(schema);
  seen2.ref = innerType;
};
var readonlyProcessor = (schema, ctx, json, params) => {
  const def = schema._zod.def;
  processSchema(def.innerType, ctx, params);
  const seen2 = ctx.seen.get(schema);
  seen2.ref = def.innerType;
  json.readOnly = true;
};
var optionalProcessor = (schema, ctx, _json, params) => {
  const def = schema._zod.def;
  processSchema(def.innerType, ctx, params);
  const seen2 = ctx.seen.get(schema);
  seen2.ref = def.innerType;
};

// node_modules/zod/v4/classic/errors.js
var _installedErrorProtos = /* @__PURE__ */ new WeakSet([Object.prototype, Error.prototype]);
function _lazyMethod(proto, key2, make) {
  Object.defineProperty(proto, key2, {
    configurable: true,
    enumerable: false,
    get() {
      const value = make(this);
      Object.defineProperty(this, key2, { value, configurable: true, writable: true });
      return value;
    },
    set(value) {
      Object.defineProperty(this, key2, { value, configurable: true, writable: true });
    }
  });
}
var initializer2 = (inst, issues) => {
  $ZodError.init(inst, issues);
  inst.name = "ZodError";
  const proto = Object.getPrototypeOf(inst);
  if (_installedErrorProtos.has(proto))
    return;
  _installedErrorProtos.add(proto);
  _lazyMethod(proto, "format", (self) => (mapper) => formatError(self, mapper));
  _lazyMethod(proto, "flatten", (self) => (mapper) => flattenError(self, mapper));
  _lazyMethod(proto, "addIssue", (self) => (issue2) => {
    self.issues.push(issue2);
    self.message = JSON.stringify(self.issues, jsonStringifyReplacer, 2);
  });
  _lazyMethod(proto, "addIssues", (self) => (issues2) => {
    self.issues.push(...issues2);
    self.message = JSON.stringify(self.issues, jsonStringifyReplacer, 2);
  });
  Object.defineProperty(proto, "isEmpty", {
    configurable: true,
    enumerable: false,
    get() {
      return this.issues.length === 0;
    }
  });
};
var ZodRealError = /* @__PURE__ */ $constructor("ZodError", initializer2, void 0, {
  Parent: Error
});

// node_modules/zod/v4/classic/parse.js
var parse = /* @__PURE__ */ _parse(ZodRealError);
var parseAsync = /* @__PURE__ */ _parseAsync(ZodRealError);
var safeParse = /* @__PURE__ */ _safeParse(ZodRealError);
var safeParseAsync = /* @__PURE__ */ _safeParseAsync(ZodRealError);
var encode = /* @__PURE__ */ _encode(ZodRealError);
var decode = /* @__PURE__ */ _decode(ZodRealError);
var encodeAsync = /* @__PURE__ */ _encodeAsync(ZodRealError);
var decodeAsync = /* @__PURE__ */ _decodeAsync(ZodRealError);
var safeEncode = /* @__PURE__ */ _safeEncode(ZodRealError);
var safeDecode = /* @__PURE__ */ _safeDecode(ZodRealError);
var safeEncodeAsync = /* @__PURE__ */ _safeEncodeAsync(ZodRealError);
var safeDecodeAsync = /* @__PURE__ */ _safeDecodeAsync(ZodRealError);

// node_modules/zod/v4/classic/schemas.js
function _ensureDefaultLocale() {
  if (!globalConfig.localeError)
    config(en_default());
}
function _ensureDefaultMemoizer() {
  if (!globalConfig.memoizer)
    config({ memoizer: memoizer() });
}
var ZodType = /* @__PURE__ */ $constructor("ZodType", (inst, def) => {
  _ensureDefaultLocale();
  $ZodType.init(inst, def);
  inst.def = def;
  inst.type = def.type;
  return inst;
}, {
  check(...chks) {
    const def = this.def;
    return this.clone(util_exports.mergeDefs(def, {
      checks: [
        ...def.checks ?? [],
        ...chks.map((ch) => typeof ch === "function" ? { _zod: { check: ch, def: { check: "custom" }, onattach: [] } } : ch)
      ]
    }), { parent: true });
  },
  with(...chks) {
    return this.check(...chks);
  },
  clone(def, params) {
    return clone(this, def, params);
  },
  brand() {
    return this;
  },
  register(reg, meta2) {
    reg.add(this, meta2);
    return this;
  },
  refine(check2, params) {
    return this.check(refine(check2, params));
  },
  superRefine(refinement, params) {
    return this.check(superRefine(refinement, params));
  },
  overwrite(fn) {
    return this.check(_overwrite(fn));
  },
  optional() {
    return optional(this);
  },
  exactOptional() {
    return exactOptional(this);
  },
  nullable() {
    return nullable(this);
  },
  nullish() {
    return optional(nullable(this));
  },
  nonoptional(params) {
    return nonoptional(this, params);
  },
  array() {
    return array(this);
  },
  or(arg) {
    return union([this, arg]);
  },
  and(arg) {
    return intersection(this, arg);
  },
  transform(tx) {
    return pipe(this, transform(tx));
  },
  default(d) {
    return _default(this, d);
  },
  prefault(d) {
    return prefault(this, d);
  },
  catch(params) {
    return _catch(this, params);
  },
  pipe(target) {
    return pipe(this, target);
  },
  readonly() {
    return readonly(this);
  },
  describe(description) {
    const cl = this.clone();
    globalRegistry.add(cl, { description });
    return cl;
  },
  meta(...args) {
    if (args.length === 0)
      return globalRegistry.get(this);
    const cl = this.clone();
    globalRegistry.add(cl, args[0]);
    return cl;
  },
  isOptional() {
    return this.safeParse(void 0).success;
  },
  isNullable() {
    return this.safeParse(null).success;
  },
  apply(fn, ...args) {
    return args.length === 0 ? fn(this) : fn(this, ...args);
  },
  // Overrides core's `~standard` to add `jsonSchema`. Must stay a prototype entry: redefining it per instance demotes instances to dictionary mode.
  get "~standard"() {
    return util_exports.hide(this, "~standard", {
      ...standardProps(this),
      jsonSchema: {
        input: createStandardJSONSchemaMethod(this, "input"),
        output: createStandardJSONSchemaMethod(this, "output")
      }
    });
  },
  set "~standard"(value) {
    util_exports.own(this, "~standard", value);
  },
  parse: function _parse2(data, params) {
    return parse(this, data, params, { callee: _parse2 });
  },
  parseAsync: async function _parseAsync2(data, params) {
    return await parseAsync(this, data, params, { callee: _parseAsync2 });
  },
  safeParse(data, params) {
    return safeParse(this, data, params);
  },
  async safeParseAsync(data, params) {
    return safeParseAsync(this, data, params);
  },
  // `spa` is an alias: same function object as `safeParseAsync`, as before.
  get spa() {
    return this?.safeParseAsync;
  },
  set spa(value) {
    util_exports.own(this, "spa", value);
  },
  validate(data, params) {
    return validate(this, data, params);
  },
  validateAsync(data, params) {
    return validateAsync(this, data, params);
  },
  encode: function _encode2(data, params) {
    return encode(this, data, params, { callee: _encode2 });
  },
  decode: function _decode2(data, params) {
    return decode(this, data, params, { callee: _decode2 });
  },
  encodeAsync: async function _encodeAsync2(data, params) {
    return await encodeAsync(this, data, params, { callee: _encodeAsync2 });
  },
  decodeAsync: async function _decodeAsync2(data, params) {
    return await decodeAsync(this, data, params, { callee: _decodeAsync2 });
  },
  safeEncode(data, params) {
    return safeEncode(this, data, params);
  },
  safeDecode(data, params) {
    return safeDecode(this, data, params);
  },
  async safeEncodeAsync(data, params) {
    return safeEncodeAsync(this, data, params);
  },
  async safeDecodeAsync(data, params) {
    return safeDecodeAsync(this, data, params);
  },
  toJSONSchema(params) {
    return createToJSONSchemaMethod(this, {})(params);
  },
  // Reads through to the registry on every access, so it must not cache.
  get description() {
    return globalRegistry.get(this)?.description;
  },
  // No setter: `schema._def = x` throws, as it did when `_def` was a non-writable own property.
  get _def() {
    return this._zod.def;
  }
});
var _ZodString = /* @__PURE__ */ $constructor(
  "_ZodString",
  (inst, def) => {
    $ZodString.init(inst, def);
    ZodType.init(inst, def);
    inst._zod.processJSONSchema = (ctx, json, params) => stringProcessor(inst, ctx, json, params);
  },
  /* @__PURE__ */ util_exports.derived({
    format: (inst) => aggregateChecks(inst).format ?? null,
    minLength: (inst) => aggregateChecks(inst).minimum ?? null,
    maxLength: (inst) => aggregateChecks(inst).maximum ?? null
  }, {
    regex(...args) {
      return this.check(_regex(...args));
    },
    includes(...args) {
      return this.check(_includes(...args));
    },
    startsWith(...args) {
      return this.check(_startsWith(...args));
    },
    endsWith(...args) {
      return this.check(_endsWith(...args));
    },
    min(...args) {
      return this.check(_minLength(...args));
    },
    max(...args) {
      return this.check(_maxLength(...args));
    },
    length(...args) {
      return this.check(_length(...args));
    },
    nonempty(...args) {
      return this.check(_minLength(1, ...args));
    },
    lowercase(params) {
      return this.check(_lowercase(params));
    },
    uppercase(params) {
      return this.check(_uppercase(params));
    },
    trim() {
      return this.check(_trim());
    },
    normalize(...args) {
      return this.check(_normalize(...args));
    },
    toLowerCase() {
      return this.check(_toLowerCase());
    },
    toUpperCase() {
      return this.check(_toUpperCase());
    },
    slugify() {
      return this.check(_slugify());
    }
  })
);
var ZodString = /* @__PURE__ */ $constructor("ZodString", (inst, def) => {
  $ZodString.init(inst, def);
  _ZodString.init(inst, def);
}, {
  email(params) {
    return this.check(_email(ZodEmail, params));
  },
  url(params) {
    return this.check(_url(ZodURL, params));
  },
  jwt(params) {
    return this.check(_jwt(ZodJWT, params));
  },
  emoji(params) {
    return this.check(_emoji2(ZodEmoji, params));
  },
  guid(params) {
    return this.check(_guid(ZodGUID, params));
  },
  uuid(params) {
    return this.check(_uuid(ZodUUID, params));
  },
  uuidv4(params) {
    return this.check(_uuidv4(ZodUUID, params));
  },
  uuidv6(params) {
    return this.check(_uuidv6(ZodUUID, params));
  },
  uuidv7(params) {
    return this.check(_uuidv7(ZodUUID, params));
  },
  nanoid(params) {
    return this.check(_nanoid(ZodNanoID, params));
  },
  cuid(params) {
    return this.check(_cuid(ZodCUID, params));
  },
  cuid2(params) {
    return this.check(_cuid2(ZodCUID2, params));
  },
  ulid(params) {
    return this.check(_ulid(ZodULID, params));
  },
  base64(params) {
    return this.check(_base64(ZodBase64, params));
  },
  base64url(params) {
    return this.check(_base64url(ZodBase64URL, params));
  },
  xid(params) {
    return this.check(_xid(ZodXID, params));
  },
  ksuid(params) {
    return this.check(_ksuid(ZodKSUID, params));
  },
  ipv4(params) {
    return this.check(_ipv4(ZodIPv4, params));
  },
  ipv6(params) {
    return this.check(_ipv6(ZodIPv6, params));
  },
  cidrv4(params) {
    return this.check(_cidrv4(ZodCIDRv4, params));
  },
  cidrv6(params) {
    return this.check(_cidrv6(ZodCIDRv6, params));
  },
  e164(params) {
    return this.check(_e164(ZodE164, params));
  },
  datetime(params) {
    return this.check(_isoDateTime(ZodISODateTime, params));
  },
  date(params) {
    return this.check(_isoDate(ZodISODate, params));
  },
  time(params) {
    return this.check(_isoTime(ZodISOTime, params));
  },
  duration(params) {
    return this.check(_isoDuration(ZodISODuration, params));
  }
});
function string2(params) {
  return _string(ZodString, params);
}
var ZodStringFormat = /* @__PURE__ */ $constructor("ZodStringFormat", (inst, def) => {
  $ZodStringFormat.init(inst, def);
  _ZodString.init(inst, def);
});
var ZodISODateTime = /* @__PURE__ */ $constructor("ZodISODateTime", (inst, def) => {
  $ZodISODateTime.init(inst, def);
  ZodStringFormat.init(inst, def);
});
var ZodISODate = /* @__PURE__ */ $constructor("ZodISODate", (inst, def) => {
  $ZodISODate.init(inst, def);
  ZodStringFormat.init(inst, def);
});
var ZodISOTime = /* @__PURE__ */ $constructor("ZodISOTime", (inst, def) => {
  $ZodISOTime.init(inst, def);
  ZodStringFormat.init(inst, def);
});
var ZodISODuration = /* @__PURE__ */ $constructor("ZodISODuration", (inst, def) => {
  $ZodISODuration.init(inst, def);
  ZodStringFormat.init(inst, def);
});
var ZodEmail = /* @__PURE__ */ $constructor("ZodEmail", (inst, def) => {
  $ZodEmail.init(inst, def);
  ZodStringFormat.init(inst, def);
});
var ZodGUID = /* @__PURE__ */ $constructor("ZodGUID", (inst, def) => {
  $ZodGUID.init(inst, def);
  ZodStringFormat.init(inst, def);
});
var ZodUUID = /* @__PURE__ */ $constructor("ZodUUID", (inst, def) => {
  $ZodUUID.init(inst, def);
  ZodStringFormat.init(inst, def);
});
var ZodURL = /* @__PURE__ */ $constructor("ZodURL", (inst, def) => {
  $ZodURL.init(inst, def);
  ZodStringFormat.init(inst, def);
});
function url(params) {
  return _url(ZodURL, params);
}
var ZodEmoji = /* @__PURE__ */ $constructor("ZodEmoji", (inst, def) => {
  $ZodEmoji.init(inst, def);
  ZodStringFormat.init(inst, def);
});
var ZodNanoID = /* @__PURE__ */ $constructor("ZodNanoID", (inst, def) => {
  $ZodNanoID.init(inst, def);
  ZodStringFormat.init(inst, def);
});
var ZodCUID = /* @__PURE__ */ $constructor("ZodCUID", (inst, def) => {
  $ZodCUID.init(inst, def);
  ZodStringFormat.init(inst, def);
});
var ZodCUID2 = /* @__PURE__ */ $constructor("ZodCUID2", (inst, def) => {
  $ZodCUID2.init(inst, def);
  ZodStringFormat.init(inst, def);
});
var ZodULID = /* @__PURE__ */ $constructor("ZodULID", (inst, def) => {
  $ZodULID.init(inst, def);
  ZodStringFormat.init(inst, def);
});
var ZodXID = /* @__PURE__ */ $constructor("ZodXID", (inst, def) => {
  $ZodXID.init(inst, def);
  ZodStringFormat.init(inst, def);
});
var ZodKSUID = /* @__PURE__ */ $constructor("ZodKSUID", (inst, def) => {
  $ZodKSUID.init(inst, def);
  ZodStringFormat.init(inst, def);
});
var ZodIPv4 = /* @__PURE__ */ $constructor("ZodIPv4", (inst, def) => {
  $ZodIPv4.init(inst, def);
  ZodStringFormat.init(inst, def);
});
var ZodIPv6 = /* @__PURE__ */ $constructor("ZodIPv6", (inst, def) => {
  $ZodIPv6.init(inst, def);
  ZodStringFormat.init(inst, def);
});
var ZodCIDRv4 = /* @__PURE__ */ $constructor("ZodCIDRv4", (inst, def) => {
  $ZodCIDRv4.init(inst, def);
  ZodStringFormat.init(inst, def);
});
var ZodCIDRv6 = /* @__PURE__ */ $constructor("ZodCIDRv6", (inst, def) => {
  $ZodCIDRv6.init(inst, def);
  ZodStringFormat.init(inst, def);
});
var ZodBase64 = /* @__PURE__ */ $constructor("ZodBase64", (inst, def) => {
  $ZodBase64.init(inst, def);
  ZodStringFormat.init(inst, def);
});
var ZodBase64URL = /* @__PURE__ */ $constructor("ZodBase64URL", (inst, def) => {
  $ZodBase64URL.init(inst, def);
  ZodStringFormat.init(inst, def);
});
var ZodE164 = /* @__PURE__ */ $constructor("ZodE164", (inst, def) => {
  $ZodE164.init(inst, def);
  ZodStringFormat.init(inst, def);
});
var ZodJWT = /* @__PURE__ */ $constructor("ZodJWT", (inst, def) => {
  $ZodJWT.init(inst, def);
  ZodStringFormat.init(inst, def);
});
var ZodNumber = /* @__PURE__ */ $constructor(
  "ZodNumber",
  (inst, def) => {
    $ZodNumber.init(inst, def);
    ZodType.init(inst, def);
    inst._zod.processJSONSchema = (ctx, json, params) => numberProcessor(inst, ctx, json, params);
    inst.isFinite = true;
  },
  /* @__PURE__ */ util_exports.derived({
    minValue: (inst) => {
      const { minimum, exclusiveMinimum } = aggregateChecks(inst);
      return Math.max(minimum ?? Number.NEGATIVE_INFINITY, exclusiveMinimum ?? Number.NEGATIVE_INFINITY);
    },
    maxValue: (inst) => {
      const { maximum, exclusiveMaximum } = aggregateChecks(inst);
      return Math.min(maximum ?? Number.POSITIVE_INFINITY, exclusiveMaximum ?? Number.POSITIVE_INFINITY);
    },
    isInt: (inst) => {
      const { isInt, multipleOf } = aggregateChecks(inst);
      return !!isInt || !!multipleOf?.some(Number.isSafeInteger);
    },
    format: (inst) => aggregateChecks(inst).format ?? null
  }, {
    gt(value, params) {
      return this.check(_gt(value, params));
    },
    gte(value, params) {
      return this.check(_gte(value, params));
    },
    min(value, params) {
      return this.check(_gte(value, params));
    },
    lt(value, params) {
      return this.check(_lt(value, params));
    },
    lte(value, params) {
      return this.check(_lte(value, params));
    },
    max(value, params) {
      return this.check(_lte(value, params));
    },
    int(params) {
      return this.check(int(params));
    },
    safe(params) {
      return this.check(int(params));
    },
    positive(params) {
      return this.check(_gt(0, params));
    },
    nonnegative(params) {
      return this.check(_gte(0, params));
    },
    negative(params) {
      return this.check(_lt(0, params));
    },
    nonpositive(params) {
      return this.check(_lte(0, params));
    },
    multipleOf(value, params) {
      return this.check(_multipleOf(value, params));
    },
    step(value, params) {
      return this.check(_multipleOf(value, params));
    },
    finite() {
      return this;
    }
  })
);
var ZodNumberFormat = /* @__PURE__ */ $constructor("ZodNumberFormat", (inst, def) => {
  $ZodNumberFormat.init(inst, def);
  ZodNumber.init(inst, def);
});
function int(params) {
  return _int(ZodNumberFormat, params);
}
var ZodBoolean = /* @__PURE__ */ $constructor("ZodBoolean", (inst, def) => {
  $ZodBoolean.init(inst, def);
  ZodType.init(inst, def);
  inst._zod.processJSONSchema = (ctx, json, params) => booleanProcessor(inst, ctx, json, params);
});
function boolean2(params) {
  return _boolean(ZodBoolean, params);
}
var ZodBigInt = /* @__PURE__ */ $constructor(
  "ZodBigInt",
  (inst, def) => {
    $ZodBigInt.init(inst, def);
    ZodType.init(inst, def);
    inst._zod.processJSONSchema = (ctx, json, params) => bigintProcessor(inst, ctx, json, params);
  },
  /* @__PURE__ */ util_exports.derived({
    minValue: (inst) => aggregateChecks(inst).minimum ?? null,
    maxValue: (inst) => aggregateChecks(inst).maximum ?? null,
    format: (inst) => aggregateChecks(inst).format ?? null
  }, {
    gte(value, params) {
      return this.check(_gte(value, params));
    },
    min(value, params) {
      return this.check(_gte(value, params));
    },
    gt(value, params) {
      return this.check(_gt(value, params));
    },
    lt(value, params) {
      return this.check(_lt(value, params));
    },
    lte(value, params) {
      return this.check(_lte(value, params));
    },
    max(value, params) {
      return this.check(_lte(value, params));
    },
    positive(params) {
      return this.check(_gt(BigInt(0), params));
    },
    negative(params) {
      return this.check(_lt(BigInt(0), params));
    },
    nonpositive(params) {
      return this.check(_lte(BigInt(0), params));
    },
    nonnegative(params) {
      return this.check(_gte(BigInt(0), params));
    },
    multipleOf(value, params) {
      return this.check(_multipleOf(value, params));
    }
  })
);
var ZodUnknown = /* @__PURE__ */ $constructor("ZodUnknown", (inst, def) => {
  $ZodUnknown.init(inst, def);
  ZodType.init(inst, def);
  inst._zod.processJSONSchema = (ctx, json, params) => unknownProcessor(inst, ctx, json, params);
});
function unknown() {
  return _unknown(ZodUnknown);
}
var ZodNever = /* @__PURE__ */ $constructor("ZodNever", (inst, def) => {
  $ZodNever.init(inst, def);
  ZodType.init(inst, def);
  inst._zod.processJSONSchema = (ctx, json, params) => neverProcessor(inst, ctx, json, params);
});
function never(params) {
  return _never(ZodNever, params);
}
var ZodDate = /* @__PURE__ */ $constructor(
  "ZodDate",
  (inst, def) => {
    $ZodDate.init(inst, def);
    ZodType.init(inst, def);
    inst._zod.processJSONSchema = (ctx, json, params) => dateProcessor(inst, ctx, json, params);
    inst.min = (value, params) => inst.check(_gte(value, params));
    inst.max = (value, params) => inst.check(_lte(value, params));
  },
  /* @__PURE__ */ util_exports.derived({
    minDate: (inst) => {
      const { minimum } = aggregateChecks(inst);
      return minimum ? new Date(minimum) : null;
    },
    maxDate: (inst) => {
      const { maximum } = aggregateChecks(inst);
      return maximum ? new Date(maximum) : null;
    }
  }, {})
);
var ZodArray = /* @__PURE__ */ $constructor("ZodArray", (inst, def) => {
  _ensureDefaultMemoizer();
  $ZodArray.init(inst, def);
  ZodType.init(inst, def);
  inst._zod.processJSONSchema = (ctx, json, params) => arrayProcessor(inst, ctx, json, params);
  inst.element = def.element;
}, {
  min(n, params) {
    return this.check(_minLength(n, params));
  },
  nonempty(params) {
    return this.check(_minLength(1, params));
  },
  max(n, params) {
    return this.check(_maxLength(n, params));
  },
  length(n, params) {
    return this.check(_length(n, params));
  },
  unwrap() {
    return this.element;
  }
});
function array(element, params) {
  return _array(ZodArray, element, params);
}
var ZodObject = /* @__PURE__ */ $constructor("ZodObject", (inst, def) => {
  _ensureDefaultMemoizer();
  $ZodObjectJIT.init(inst, def);
  ZodType.init(inst, def);
  inst._zod.processJSONSchema = (ctx, json, params) => objectProcessor(inst, ctx, json, params);
  util_exports.installLazyProp(inst, "shape", (self) => self._zod.def.shape, false);
}, {
  keyof() {
    return _enum(Object.keys(this._zod.def.shape));
  },
  catchall(catchall) {
    return this.clone(util_exports.mergeDefs(this._zod.def, { catchall }));
  },
  passthrough() {
    return this.clone(util_exports.mergeDefs(this._zod.def, { catchall: unknown() }));
  },
  loose() {
    return this.clone(util_exports.mergeDefs(this._zod.def, { catchall: unknown() }));
  },
  strict() {
    return this.clone(util_exports.mergeDefs(this._zod.def, { catchall: never() }));
  },
  strip() {
    return this.clone(util_exports.mergeDefs(this._zod.def, { catchall: void 0 }));
  },
  extend(incoming) {
    return util_exports.extend(this, incoming);
  },
  safeExtend(incoming) {
    return util_exports.safeExtend(this, incoming);
  },
  merge(other) {
    return util_exports.merge(this, other);
  },
  pick(mask) {
    return util_exports.pick(this, mask);
  },
  omit(mask) {
    return util_exports.omit(this, mask);
  },
  partial(...args) {
    return util_exports.partial(ZodOptional, this, args[0]);
  },
  exactPartial(...args) {
    return util_exports.partial(ZodExactOptional, this, args[0], "exactPartial");
  },
  required(...args) {
    return util_exports.required(ZodNonOptional, this, args[0]);
  }
});
function object(shape, params) {
  const def = {
    type: "object",
    shape: shape ?? {},
    ...util_exports.normalizeParams(params)
  };
  return new ZodObject(def);
}
function strictObject(shape, params) {
  return new ZodObject({
    type: "object",
    shape,
    catchall: never(),
    ...util_exports.normalizeParams(params)
  });
}
function looseObject(shape, params) {
  return new ZodObject({
    type: "object",
    shape,
    catchall: unknown(),
    ...util_exports.normalizeParams(params)
  });
}
var ZodUnion = /* @__PURE__ */ $constructor("ZodUnion", (inst, def) => {
  $ZodUnion.init(inst, def);
  ZodType.init(inst, def);
  inst._zod.processJSONSchema = (ctx, json, params) => unionProcessor(inst, ctx, json, params);
  inst.options = def.options;
});
function union(options, params) {
  return new ZodUnion({
    type: "union",
    options,
    ...util_exports.normalizeParams(params)
  });
}
var ZodDiscriminatedUnion = /* @__PURE__ */ $constructor("ZodDiscriminatedUnion", (inst, def) => {
  ZodUnion.init(inst, def);
  $ZodDiscriminatedUnion.init(inst, def);
});
function discriminatedUnion(discriminator, options, params) {
  return new ZodDiscriminatedUnion({
    type: "union",
    options,
    discriminator,
    ...util_exports.normalizeParams(params)
  });
}
var ZodIntersection = /* @__PURE__ */ $constructor("ZodIntersection", (inst, def) => {
  $ZodIntersection.init(inst, def);
  ZodType.init(inst, def);
  inst._zod.processJSONSchema = (ctx, json, params) => intersectionProcessor(inst, ctx, json, params);
});
function intersection(left, right) {
  return new ZodIntersection({
    type: "intersection",
    left,
    right
  });
}
var ZodRecord = /* @__PURE__ */ $constructor("ZodRecord", (inst, def) => {
  _ensureDefaultMemoizer();
  $ZodRecord.init(inst, def);
  ZodType.init(inst, def);
  inst._zod.processJSONSchema = (ctx, json, params) => recordProcessor(inst, ctx, json, params);
  inst.keyType = def.keyType;
  inst.valueType = def.valueType;
});
function record(keyType, valueType, params) {
  if (!valueType || !valueType._zod) {
    return new ZodRecord({
      type: "record",
      keyType: string2(),
      valueType: keyType,
      ...util_exports.normalizeParams(valueType)
    });
  }
  return new ZodRecord({
    type: "record",
    keyType,
    valueType,
    ...util_exports.normalizeParams(params)
  });
}
var ZodEnum = /* @__PURE__ */ $constructor("ZodEnum", (inst, def) => {
  $ZodEnum.init(inst, def);
  ZodType.init(inst, def);
  inst._zod.processJSONSchema = (ctx, json, params) => enumProcessor(inst, ctx, json, params);
  inst.enum = def.entries;
  inst.options = [...inst._zod.values];
  const keys = new Set(Object.keys(def.entries));
  inst.extract = (values, params) => {
    const newEntries = {};
    for (const value of values) {
      if (keys.has(value)) {
        newEntries[value] = def.entries[value];
      } else
        throw new Error(`Key ${value} not found in enum`);
    }
    return new ZodEnum({
      ...def,
      checks: [],
      ...util_exports.normalizeParams(params),
      entries: newEntries
    });
  };
  inst.exclude = (values, params) => {
    const newEntries = { ...def.entries };
    for (const value of values) {
      if (keys.has(value)) {
        delete newEntries[value];
      } else
        throw new Error(`Key ${value} not found in enum`);
    }
    return new ZodEnum({
      ...def,
      checks: [],
      ...util_exports.normalizeParams(params),
      entries: newEntries
    });
  };
});
function _enum(values, params) {
  const entries2 = Array.isArray(values) ? Object.fromEntries(values.map((v) => [v, v])) : values;
  return new ZodEnum({
    type: "enum",
    entries: entries2,
    ...util_exports.normalizeParams(params)
  });
}
var ZodLiteral = /* @__PURE__ */ $constructor("ZodLiteral", (inst, def) => {
  $ZodLiteral.init(inst, def);
  ZodType.init(inst, def);
  inst._zod.processJSONSchema = (ctx, json, params) => literalProcessor(inst, ctx, json, params);
  inst.values = new Set(def.values);
  Object.defineProperty(inst, "value", {
    get() {
      if (def.values.length > 1) {
        throw new Error("This schema contains multiple valid literal values. Use `.values` instead.");
      }
      return def.values[0];
    }
  });
});
function literal(value, params) {
  return new ZodLiteral({
    type: "literal",
    values: Array.isArray(value) ? value : [value],
    ...util_exports.normalizeParams(params)
  });
}
var ZodTransform = /* @__PURE__ */ $constructor("ZodTransform", (inst, def) => {
  _ensureDefaultMemoizer();
  $ZodTransform.init(inst, def);
  ZodType.init(inst, def);
  inst._zod.processJSONSchema = (ctx, json, params) => transformProcessor(inst, ctx, json, params);
  inst._zod.parse = (payload, _ctx) => {
    if (_ctx.direction === "backward") {
      throw new $ZodEncodeError(inst.constructor.name);
    }
    payload.addIssue = (issue2) => {
      if (typeof issue2 === "string") {
        payload.issues.push(util_exports.issue(issue2, payload.value, def));
      } else {
        const _issue = issue2;
        if (_issue.fatal)
          _issue.continue = false;
        _issue.code ?? (_issue.code = "custom");
        if (!("input" in _issue))
          _issue.input = payload.value;
        _issue.inst ?? (_issue.inst = inst);
        payload.issues.push(util_exports.issue(_issue));
      }
    };
    const output2 = def.transform(payload.value, payload);
    if (output2 instanceof Promise) {
      return output2.then((output3) => {
        payload.value = output3;
        return payload;
      });
    }
    payload.value = output2;
    return payload;
  };
});
function transform(fn) {
  return new ZodTransform({
    type: "transform",
    transform: fn
  });
}
var ZodOptional = /* @__PURE__ */ $constructor("ZodOptional", (inst, def) => {
  $ZodOptional.init(inst, def);
  ZodType.init(inst, def);
  inst._zod.processJSONSchema = (ctx, json, params) => optionalProcessor(inst, ctx, json, params);
  inst.unwrap = () => inst._zod.def.innerType;
});
function optional(innerType) {
  return new ZodOptional({
    type: "optional",
    innerType
  });
}
var ZodExactOptional = /* @__PURE__ */ $constructor("ZodExactOptional", (inst, def) => {
  $ZodExactOptional.init(inst, def);
  ZodType.init(inst, def);
  inst._zod.processJSONSchema = (ctx, json, params) => optionalProcessor(inst, ctx, json, params);
  inst.unwrap = () => inst._zod.def.innerType;
});
function exactOptional(innerType) {
  return new ZodExactOptional({
    type: "optional",
    innerType
  });
}
var ZodNullable = /* @__PURE__ */ $constructor("ZodNullable", (inst, def) => {
  $ZodNullable.init(inst, def);
  ZodType.init(inst, def);
  inst._zod.processJSONSchema = (ctx, json, params) => nullableProcessor(inst, ctx, json, params);
  inst.unwrap = () => inst._zod.def.innerType;
});
function nullable(innerType) {
  return new ZodNullable({
    type: "nullable",
    innerType
  });
}
var ZodDefault = /* @__PURE__ */ $constructor("ZodDefault", (inst, def) => {
  $ZodDefault.init(inst, def);
  ZodType.init(inst, def);
  inst._zod.processJSONSchema = (ctx, json, params) => defaultProcessor(inst, ctx, json, params);
  inst.unwrap = () => inst._zod.def.innerType;
  inst.removeDefault = inst.unwrap;
});
function _default(innerType, defaultValue) {
  return new ZodDefault({
    type: "default",
    innerType,
    get defaultValue() {
      return typeof defaultValue === "function" ? defaultValue() : util_exports.shallowClone(defaultValue);
    }
  });
}
var ZodPrefault = /* @__PURE__ */ $constructor("ZodPrefault", (inst, def) => {
  $ZodPrefault.init(inst, def);
  ZodType.init(inst, def);
  inst._zod.processJSONSchema = (ctx, json, params) => prefaultProcessor(inst, ctx, json, params);
  inst.unwrap = () => inst._zod.def.innerType;
});
function prefault(innerType, defaultValue) {
  return new ZodPrefault({
    type: "prefault",
    innerType,
    get defaultValue() {
      return typeof defaultValue === "function" ? defaultValue() : util_exports.shallowClone(defaultValue);
    }
  });
}
var ZodNonOptional = /* @__PURE__ */ $constructor("ZodNonOptional", (inst, def) => {
  $ZodNonOptional.init(inst, def);
  ZodType.init(inst, def);
  inst._zod.processJSONSchema = (ctx, json, params) => nonoptionalProcessor(inst, ctx, json, params);
  inst.unwrap = () => inst._zod.def.innerType;
});
function nonoptional(innerType, params) {
  return new ZodNonOptional({
    type: "nonoptional",
    innerType,
    ...util_exports.normalizeParams(params)
  });
}
var ZodCatch = /* @__PURE__ */ $constructor("ZodCatch", (inst, def) => {
  $ZodCatch.init(inst, def);
  ZodType.init(inst, def);
  inst._zod.processJSONSchema = (ctx, json, params) => catchProcessor(inst, ctx, json, params);
  inst.unwrap = () => inst._zod.def.innerType;
  inst.removeCatch = inst.unwrap;
});
function _catch(innerType, catchValue) {
  return new ZodCatch({
    type: "catch",
    innerType,
    catchValue: typeof catchValue === "function" ? catchValue : util_exports.constantCatch(catchValue)
  });
}
var ZodPipe = /* @__PURE__ */ $constructor("ZodPipe", (inst, def) => {
  $ZodPipe.init(inst, def);
  ZodType.init(inst, def);
  inst._zod.processJSONSchema = (ctx, json, params) => pipeProcessor(inst, ctx, json, params);
  inst.in = def.in;
  inst.out = def.out;
});
function pipe(in_, out) {
  return new ZodPipe({
    type: "pipe",
    in: in_,
    out
    // ...util.normalizeParams(params),
  });
}
var ZodReadonly = /* @__PURE__ */ $constructor("ZodReadonly", (inst, def) => {
  $ZodReadonly.init(inst, def);
  ZodType.init(inst, def);
  inst._zod.processJSONSchema = (ctx, json, params) => readonlyProcessor(inst, ctx, json, params);
  inst.unwrap = () => inst._zod.def.innerType;
});
function readonly(innerType) {
  return new ZodReadonly({
    type: "readonly",
    innerType
  });
}
var ZodCustom = /* @__PURE__ */ $constructor("ZodCustom", (inst, def) => {
  $ZodCustom.init(inst, def);
  ZodType.init(inst, def);
  inst._zod.processJSONSchema = (ctx, json, params) => customProcessor(inst, ctx, json, params);
});
function refine(fn, _params = {}) {
  return _refine(ZodCustom, fn, _params);
}
function superRefine(fn, params) {
  return _superRefine(fn, params);
}

// node_modules/zod/v4/classic/iso.js
var iso_exports = {};
__export(iso_exports, {
  ZodISODate: () => ZodISODate,
  ZodISODateTime: () => ZodISODateTime,
  ZodISODuration: () => ZodISODuration,
  ZodISOTime: () => ZodISOTime,
  date: () => date2,
  datetime: () => datetime2,
  duration: () => duration2,
  time: () => time2
});
function datetime2(params) {
  return _isoDateTime(ZodISODateTime, params);
}
function date2(params) {
  return _isoDate(ZodISODate, params);
}
function time2(params) {
  return _isoTime(ZodISOTime, params);
}
function duration2(params) {
  return _isoDuration(ZodISODuration, params);
}

// node_modules/zod/v4/classic/coerce.js
var coerce_exports = {};
__export(coerce_exports, {
  bigint: () => bigint2,
  boolean: () => boolean3,
  date: () => date3,
  number: () => number2,
  string: () => string3
});
function string3(params) {
  return _coercedString(ZodString, params);
}
function number2(params) {
  return _coercedNumber(ZodNumber, params);
}
function boolean3(params) {
  return _coercedBoolean(ZodBoolean, params);
}
function bigint2(params) {
  return _coercedBigint(ZodBigInt, params);
}
function date3(params) {
  return _coercedDate(ZodDate, params);
}

// packages/catalog/src/base-image.ts
var BaseImage = string2().regex(
  /^[a-z0-9.-]+(?::\d+)?(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)+(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/,
  "must be a full image reference with host and tag or digest, such as docker.io/library/python:3.11-slim"
).refine((reference) => /[:@]/.test(reference.slice(reference.lastIndexOf("/"))), {
  message: "needs a tag or a digest, such as docker.io/library/python:3.11-slim"
});
function mirrored(reference, mirrors) {
  const slash = reference.indexOf("/");
  const mirror = mirrors[reference.slice(0, slash)];
  return mirror === void 0 ? reference : `${mirror.replace(/\/$/, "")}${reference.slice(slash)}`;
}

// packages/errors/src/error.ts
var TgoError = class extends Error {
  code;
  /** One sentence: what happened. */
  what;
  where;
  remedy;
  constructor(code3, what, { where: where2, remedy, cause } = {}) {
    super(render(what, where2, remedy), cause === void 0 ? void 0 : { cause });
    this.name = "TgoError";
    this.code = code3;
    this.what = what;
    this.where = where2;
    this.remedy = remedy;
  }
};
function isTgoError(error2) {
  return error2 instanceof Error && error2.name === "TgoError" && "code" in error2 && "what" in error2;
}
function oneLine(error2) {
  const text2 = isTgoError(error2) ? error2.what : error2 instanceof Error ? error2.message : String(error2);
  return text2.split("\n", 1)[0] ?? "";
}
function render(what, where2, remedy) {
  const lines2 = [where2 === void 0 ? what : `${where2}: ${what}`];
  if (remedy !== void 0) lines2.push(...remedy.split("\n").map((line) => `  ${line}`));
  return lines2.join("\n");
}

// packages/catalog/src/problems.ts
function parseJsonFile(text2, file, remedy) {
  try {
    return JSON.parse(text2);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new TgoError("CATALOG", `not valid JSON: ${message}${position(text2, message)}`, {
      where: file,
      remedy,
      cause
    });
  }
}
function problems(error2, value) {
  const lines2 = error2.issues.flatMap((issue2) => describe2(issue2, value));
  const count3 = lines2.length === 1 ? "1 problem" : `${lines2.length} problems`;
  return [`${count3}:`, ...lines2.map((line) => `  - ${line}`)].join("\n");
}
function describe2(issue2, root) {
  const path = issue2.path.map(String);
  const at = path.length === 0 ? "(top level)" : path.join(".");
  if (issue2.code === "unrecognized_keys") {
    return issue2.keys.map((key2) => `${[...path, key2].join(".")}: unknown field`);
  }
  if (issue2.code === "invalid_key") return issue2.issues.map(({ message }) => `${at}: ${message}`);
  const found = path.reduce(
    (value, key2) => isObject2(value) || Array.isArray(value) ? value[key2] : void 0,
    root
  );
  const shown = found === void 0 ? "missing" : `got ${truncate(JSON.stringify(found))}`;
  return [`${at}: ${issue2.message} (${shown})`];
}
function truncate(text2) {
  return text2.length > 80 ? `${text2.slice(0, 77)}...` : text2;
}
function position(text2, message) {
  const offset = /position (\d+)/.exec(message)?.[1];
  if (offset === void 0 || message.includes("line")) return "";
  const before = text2.slice(0, Number(offset)).split("\n");
  return ` (line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1})`;
}
function isObject2(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
function asObject(value) {
  return isObject2(value) ? value : {};
}

// packages/catalog/src/base-lock.ts
var Tagged = BaseImage.refine((reference) => !reference.includes("@"), {
  message: "is pinned already: an entry names a tag, such as docker.io/library/python:3.11-slim"
});
var BaseLock = strictObject({
  $schema: string2().optional(),
  bases: record(
    Tagged,
    string2().regex(/^sha256:[0-9a-f]{64}$/, "must be sha256: and 64 lower-case hex digits")
  ).describe(
    'Digests by base image: { "docker.io/library/python:3.11-slim": "sha256:\u2026" }. Written by lock-bases.'
  )
}).describe("Base images pinned by digest (tgo.bases.json).");
function parseBaseLock(text2, file) {
  const remedy = "Write it anew: npx --no-install tgo lock-bases --output tgo.bases.json.";
  const value = parseJsonFile(text2, file, remedy);
  const parsed = BaseLock.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new TgoError("CATALOG", problems(parsed.error, value), { where: file, remedy });
}
function formatBaseLock(bases) {
  const sorted3 = Object.entries(bases).sort(([a], [b]) => a < b ? -1 : 1);
  return `${JSON.stringify({ bases: Object.fromEntries(sorted3) }, null, 2)}
`;
}
function pinned(reference, pins) {
  const digest = Object.hasOwn(pins, reference) ? pins[reference] : void 0;
  return reference.includes("@") || digest === void 0 ? reference : `${reference}@${digest}`;
}

// packages/release-rules/src/tag-plan.ts
var TagPolicy = strictObject({
  minor: boolean2().default(true).describe("Move the tag of the minor line, 1.2, with each stable 1.2.x."),
  major: boolean2().default(true).describe(
    "Move the tag of the major line, 1, with each stable 1.x.y. There is never a tag 0: versions below 1.0.0 promise nothing to each other."
  ),
  latest: boolean2().default(true).describe("Move latest with each stable version that is newer.")
}).describe("The floating tags of a stable release. A prerelease moves none.");
function planTags(version2, policy) {
  const { major, minor, stable, text: text2 } = version2;
  const floating = [
    ...policy.minor ? [`${major}.${minor}`] : [],
    ...policy.major && major > 0 ? [`${major}`] : [],
    ...policy.latest ? [LATEST] : []
  ];
  return { version: text2, floating: stable ? floating : [] };
}
var LATEST = "latest";

// packages/release-rules/src/version.ts
var import_semver = __toESM(require_semver(), 1);
var MAX_TAG = 128;
var VERSION_GRAMMAR = "A version is MAJOR.MINOR.PATCH, or MAJOR.MINOR.PATCH-PRERELEASE (semantic versioning 2.0), with or without a v in front: 1.2.3, v1.2.3, 2.0.0-rc.1.";
function parseVersion(text2, where2) {
  const version2 = readVersion(text2);
  if (version2 !== void 0) return version2;
  const nearest = nearestVersion(text2);
  throw new TgoError("USAGE", `"${text2}" is not a version: ${whyNot(text2)}`, {
    where: where2,
    remedy: [...nearest === void 0 ? [] : [`Write ${nearest}.`], VERSION_GRAMMAR].join("\n")
  });
}
function readVersion(text2) {
  const bare2 = text2.replace(/^v/, "");
  const parsed = parse2(bare2);
  if (parsed === void 0) return void 0;
  const { major, minor, patch, prerelease } = parsed;
  const version2 = { text: bare2, major, minor, patch, prerelease, stable: prerelease.length === 0 };
  READ.set(version2, parsed);
  return version2;
}
var READ = /* @__PURE__ */ new WeakMap();
function compareVersions(a, b) {
  return (READ.get(a) ?? new import_semver.default(a.text)).compare(READ.get(b) ?? b.text);
}
function isNewer(version2, than) {
  return compareVersions(version2, than) > 0;
}
function newestVersion(versions) {
  return versions.reduce(
    (best, version2) => best === void 0 || isNewer(version2, best) ? version2 : best,
    void 0
  );
}
function nearestVersion(text2) {
  const bare2 = text2.trim().replace(/^[v=\s]+/i, "");
  const match = /^(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:[-._ ]?(alpha|beta|rc|a|b|c|pre|dev)[-._]?(\d*))?(?:\+.*)?$/i.exec(
    bare2
  );
  const [, major = "", minor = "0", patch = "0", word, number3] = match ?? [];
  const stem = [major, minor, patch].map(withoutZeros).join(".");
  const suffix = word === void 0 ? "" : `-${PRERELEASE_WORDS[word.toLowerCase()] ?? word.toLowerCase()}`;
  const count3 = number3 === void 0 || number3 === "" ? "" : `.${withoutZeros(number3)}`;
  return [bare2, bare2.replace(/\+.*$/, ""), `${stem}${suffix}${count3}`].find((guess) => parse2(guess));
}
var PRERELEASE_WORDS = { a: "alpha", b: "beta", c: "rc" };
function withoutZeros(digits) {
  return digits.replace(/^0+(?=\d)/, "");
}
function parse2(text2) {
  if (text2.length > MAX_TAG || !/^\d+\.\d+\.\d/.test(text2)) return void 0;
  try {
    const parsed = new import_semver.default(text2);
    const exact = parsed.version === text2 && parsed.prerelease.every(isExact);
    return exact ? parsed : void 0;
  } catch {
    return void 0;
  }
}
function isExact(identifier) {
  return typeof identifier === "number" || !/^\d+$/.test(identifier);
}
var REASONS = [
  [/^\s*$/, "it is empty"],
  [/\s/, "it has blanks"],
  [/\+/, "build metadata (+...) cannot be in a tag"],
  [/^v?\d+$/i, "it has no minor and no patch number"],
  [/^v?\d+\.\d+(?![.\d])/i, "it has no patch number"],
  [/^v?\d+(?:\.\d+){3}/i, "it has more than three numbers"],
  [/(?:^v?|[.-])0\d+(?:[.-]|$)/i, "a number has leading zeros"],
  [/^[V=]/, "it may start with a small v and nothing else"],
  [/\d{16}/, "a number is too large"]
];
function whyNot(text2) {
  if (text2.length > MAX_TAG) return `it is longer than the ${MAX_TAG} characters of a tag`;
  const reason = REASONS.find(([pattern]) => pattern.test(text2))?.[1];
  return reason ?? notANumber(text2) ?? "it does not follow the grammar";
}
function notANumber(text2) {
  const [numbers = ""] = text2.replace(/^v/, "").split("-", 1);
  const parts = numbers.split(".");
  const strange = parts.find((part) => part !== "" && !/^\d+$/.test(part));
  return parts.length < 3 || strange === void 0 ? void 0 : `"${strange}" is no number`;
}

// packages/release-rules/src/tag-kind.ts
var OURS = /^(candidate|staging)-[0-9a-f]{16}(?:-[a-z0-9-]+)?$/;
function kindOfTag(tag, service2) {
  if (tag === LATEST) return { kind: "latest" };
  const ours = OURS.exec(tag)?.[1];
  if (ours === "candidate" || ours === "staging") return { kind: ours };
  const start = `${service2 ?? ""}-v`;
  const version2 = readVersion(service2 !== void 0 && tag.startsWith(start) ? tag.slice(start.length) : tag);
  if (version2 !== void 0) return { kind: "version", version: version2 };
  const [, major, minor] = /^(0|[1-9]\d{0,14})(?:\.(0|[1-9]\d{0,14}))?$/.exec(tag) ?? [];
  if (major !== void 0 && minor !== void 0)
    return { kind: "minor", major: Number(major), minor: Number(minor) };
  return major === void 0 || major === "0" ? { kind: "other" } : { kind: "major", major: Number(major) };
}
function isFloating(kind) {
  return kind.kind === "minor" || kind.kind === "major" || kind.kind === "latest";
}
function inLine(kind, version2) {
  switch (kind.kind) {
    case "latest":
      return true;
    case "major":
      return version2.major === kind.major;
    case "minor":
      return version2.major === kind.major && version2.minor === kind.minor;
  }
}

// packages/release-rules/src/after-write.ts
function afterWrite(write2) {
  const { tag, wrote, before, seen: seen2, where: where2 } = write2;
  if (seen2?.digest === wrote.digest) return { state: "ok" };
  if (seen2 === void 0 || seen2.digest === before?.digest) {
    const now = seen2 === void 0 ? "is not there" : `is still ${name(seen2)}`;
    const error3 = new TgoError(
      "UNAVAILABLE",
      `the registry took the tag for ${wrote.version.text}, and it ${now}`,
      { where: where2, remedy: "Run the same command again: what is done is not done twice." }
    );
    return { state: "unseen", error: error3 };
  }
  const relation = relationOf(seen2.version, wrote.version);
  const what = `somebody else moved it to ${name(seen2)} while ${wrote.version.text} was released`;
  const moves = isFloating(kindOfTag(tag));
  if (relation === "newer" && moves)
    return { state: "lost", to: seen2, to_is: relation, told: `${tag}: ${what}` };
  const remedy = moves ? "Two releases at once? When the other one has ended, run the same command again." : "Two releases of one version at once, of different content. Find out who pushed the other one, and release the right content as the next version.";
  const error2 = new TgoError("CONFLICT", what, { where: where2, remedy });
  return { state: "lost", to: seen2, to_is: relation === "newer" ? "unknown" : relation, error: error2 };
}
function relationOf(version2, wrote) {
  if (version2 === void 0) return "unknown";
  const order2 = compareVersions(version2, wrote);
  return order2 > 0 ? "newer" : order2 < 0 ? "older" : "same version";
}
function name({ digest, version: version2 }) {
  return version2 === void 0 ? digest : `${version2.text} (${digest})`;
}

// packages/release-rules/src/candidate-problem.ts
function candidateProblem({ version: version2, revision }, wanted2, where2) {
  const refuse2 = (what, remedy) => new TgoError("CONFLICT", what, { where: where2, remedy });
  if (version2 !== wanted2.text) {
    const own2 = version2 === void 0 ? "belongs to no version" : `is a candidate of ${version2}`;
    return refuse2(
      `it ${own2}, and cannot be released as ${wanted2.text}`,
      `The version is part of an image's bytes: make the candidate with --version ${wanted2.text}.`
    );
  }
  if (revision === void 0) {
    return refuse2("it does not say which commit it was made of", "Make the candidate anew, from a commit.");
  }
  if (revision.startsWith("dev-")) {
    return refuse2(
      `its source (${revision}) is no commit: it had changes, or was given without a revision`,
      "Commit the changes and release the commit; a dev- candidate is to be tried, not released."
    );
  }
  return void 0;
}

// packages/release-rules/src/tag-target.ts
function versionBehind(of) {
  const said = of.annotation === void 0 ? void 0 : readVersion(of.annotation);
  return said ?? newestVersion(of.versionTagsWithSameDigest);
}
function tagTargets(seen2, service2) {
  const versions = /* @__PURE__ */ new Map();
  for (const { tag, digest } of seen2) {
    const kind = kindOfTag(tag, service2);
    if (kind.kind === "version") versions.set(digest, [...versions.get(digest) ?? [], kind.version]);
  }
  return new Map(
    seen2.map(({ tag, digest, annotation }) => {
      const kind = kindOfTag(tag, service2);
      const version2 = kind.kind === "version" ? kind.version : versionBehind({ annotation, versionTagsWithSameDigest: versions.get(digest) ?? [] });
      return [tag, { digest, version: version2 }];
    })
  );
}
function versionsOf(held, service2) {
  const versions = /* @__PURE__ */ new Map();
  for (const tag of held.keys()) {
    const kind = kindOfTag(tag, service2);
    if (kind.kind === "version") versions.set(kind.version.text, kind.version);
  }
  return [...versions.values()].sort((a, b) => compareVersions(b, a));
}
function tagOfVersion(held, version2, service2) {
  const spellings = [version2.text, `v${version2.text}`, `${service2}-v${version2.text}`];
  const tag = spellings.find((spelling) => held.has(spelling));
  const holding = tag === void 0 ? void 0 : held.get(tag);
  return tag === void 0 || holding === void 0 ? void 0 : { tag, digest: holding.digest };
}
function hasDigest(held, digest) {
  return [...held.values()].some((holding) => holding.digest === digest);
}

// packages/release-rules/src/canonical-json.ts
function canonicalJson(value) {
  return JSON.stringify(
    value,
    (_key, inner) => typeof inner === "object" && inner !== null && !Array.isArray(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => a < b ? -1 : 1)) : inner
  );
}

// packages/release-rules/src/release-record.ts
var RECORD_MEDIA_TYPE = "application/vnd.tgo.release.v1+json";
var Digest = string2().regex(/^sha256:[0-9a-f]{64}$/, "must be sha256: and 64 lower-case hex digits");
var VersionText = string2().refine((text2) => readVersion(text2)?.text === text2, "must be a version without a v, such as 1.2.3");
var RecordedVariant = strictObject({
  platform: string2().describe("os/architecture."),
  digest: Digest.describe("Of the variant's manifest."),
  size: int().min(0).describe("What a pull transfers: config and layers, compressed, in bytes.")
}).describe("The image of one platform.");
var RecordedPlace = strictObject({
  reference: string2().describe("host/repository@digest."),
  tags: array(string2()).describe("The tags of this release that stand for the digest there."),
  state: _enum(["complete", "incomplete"]).describe(
    "Whether the registry has every tag of the plan, or a newer version has it. Who wrote them, and in which run, is not recorded: a repeated release writes the same record."
  )
}).describe("One service in one registry.");
var RecordedService = strictObject({
  digest: Digest.describe("Of the index; the same in every registry."),
  revision: string2().describe("Commit of the source."),
  candidate: string2().optional().describe(
    "Key of the candidate: 16 hex digits of the hash of all that made it, the pipelines that built it among them."
  ),
  platforms: array(RecordedVariant).min(1),
  registries: record(string2(), RecordedPlace).describe("By the catalog's name of the registry.")
});
var ReleaseRecord = strictObject({
  schemaVersion: literal(1),
  mediaType: literal(RECORD_MEDIA_TYPE).default(RECORD_MEDIA_TYPE),
  kind: _enum(["release", "rollback"]).default("release"),
  version: VersionText,
  tags: array(string2()).min(1).describe("Of the plan, over all services, in the order of writing: the version's own first."),
  services: record(string2(), RecordedService).describe("By the catalog's name of the service."),
  pipeline: string2().describe("Hash of the pipelines' code that released, 16 hex digits."),
  createdAt: iso_exports.datetime().optional().describe("Time of the newest commit among the services, never of the run.")
}).describe("Record of a release (application/vnd.tgo.release.v1+json).");
function recordJson(record5) {
  const parsed = ReleaseRecord.safeParse(record5);
  if (!parsed.success) {
    throw new TgoError("INTERNAL", `the release record is malformed: ${problems2(parsed.error)}`, {
      remedy: "This is a defect of the pipelines: please report it. The release itself is not affected."
    });
  }
  const services = Object.entries(parsed.data.services).map(([name4, service2]) => {
    const platforms = [...service2.platforms].sort((a, b) => a.platform < b.platform ? -1 : 1);
    return [name4, { ...service2, platforms }];
  });
  return canonicalJson({ ...parsed.data, services: Object.fromEntries(services) });
}
function problems2(error2) {
  return error2.issues.map(({ path, message }) => `${path.join(".") || "(top level)"}: ${message}`).join("; ");
}

// packages/release-rules/src/registry-snapshot.ts
function snapshotOf(sights, service2, registry2) {
  const found = sights.find((sight) => sight.service === service2 && sight.registry === registry2);
  return found?.held ?? { state: "unreachable", why: "it was not asked" };
}

// packages/release-rules/src/tag-moves.ts
function decideVersionTag(move) {
  const { held, wanted: wanted2, where: where2 } = move;
  if (held === void 0) return { act: "write" };
  if (held === wanted2) return { act: "keep" };
  const what = `it is ${held} already, and a version's tag never changes; asked for was ${wanted2}`;
  return refuse(
    what,
    where2,
    "Release these bytes as the next version. To finish the version that is there, give the source and the pipelines it was made of: its image names the commit."
  );
}
function decideFloatingTag(request) {
  const { tag, held, wanted: wanted2, where: where2 } = request;
  const kind = kindOfTag(tag);
  if (!isFloating(kind) || !inLine(kind, wanted2.version)) {
    return { act: "refuse", error: misplaced(tag, wanted2.version, where2) };
  }
  if (!wanted2.version.stable) {
    return refuse(
      `${wanted2.version.text} is a prerelease, and ${tag} stands for stable versions only`,
      where2,
      `A prerelease is pulled by its own tag, ${wanted2.version.text}.`
    );
  }
  if (held?.digest === wanted2.digest) return { act: "keep" };
  const move = held === void 0 ? { act: "write", why: "new" } : overHeld(request, held, kind);
  const claim2 = newestClaim(request, kind);
  if (move.act !== "write" || claim2 === void 0 || request.allowBackwards === true) return move;
  return {
    act: "stay",
    newer: claim2.version,
    told: `left ${held === void 0 ? "absent" : "as it is"}: ${claim2.version.text}, newer than ${wanted2.version.text}, ${claim2.by}`
  };
}
function overHeld(request, held, kind) {
  const { tag, wanted: wanted2, where: where2 } = request;
  const blind = blindness(held, wanted2.version, kind, tag);
  if (blind !== void 0 || held.version === void 0) {
    if (request.adopt === true) return { act: "write", why: "adopted" };
    return refuse(
      blind ?? "its version is unknown",
      where2,
      `Look at what it is (tgo status). To put ${wanted2.version.text} there all the same, add --adopt-latest.`
    );
  }
  if (!isNewer(held.version, wanted2.version)) return { act: "write", why: "forward" };
  if (request.allowBackwards === true) return { act: "write", why: "backwards" };
  const strange = held.version.stable ? "" : `; a prerelease should not be there: promote --version ${wanted2.version.text} --allow-backwards takes it away`;
  return {
    act: "stay",
    newer: held.version,
    told: `stays on ${held.version.text}, newer than ${wanted2.version.text}${strange}`
  };
}
function blindness(held, wanted2, kind, tag) {
  if (held.version === void 0)
    return `nothing says which version it is (${held.digest}), so nobody knows whether ${wanted2.text} is newer`;
  if (!inLine(kind, held.version)) return `it is ${held.version.text}, which is no version of ${tag}`;
  if (compareVersions(held.version, wanted2) === 0)
    return `it is another image that calls itself ${wanted2.text} (${held.digest})`;
  return void 0;
}
function newestClaim({ claims = [], wanted: wanted2 }, kind) {
  const newer = claims.filter(
    ({ version: version2 }) => version2.stable && inLine(kind, version2) && isNewer(version2, wanted2.version)
  );
  const newest = newestVersion(newer.map(({ version: version2 }) => version2));
  return newer.find(({ version: version2 }) => version2 === newest);
}
function refuse(what, where2, remedy) {
  return { act: "refuse", error: new TgoError("CONFLICT", what, { where: where2, remedy }) };
}
function misplaced(tag, version2, where2) {
  return new TgoError("INTERNAL", `${tag} is no floating tag of ${version2.text}`, {
    where: where2,
    remedy: "This is a defect of the pipelines: please report it."
  });
}

// packages/release-rules/src/tag-steps.ts
var PHASES = ["version", "floating", "latest"];
function isSettled({ standing }) {
  return standing.state === "already there" || standing.state === "stays";
}
function tagSteps(plan, now, start = now) {
  const begun = new Map(
    plan.services.map(({ service: service2 }) => [service2, newerVersions(plan, now, start, service2)])
  );
  const steps = plan.registries.flatMap(
    ({ registry: registry2, required: required2 }) => plan.services.flatMap((planned) => {
      const { service: service2, digest } = planned;
      const sight = snapshotOf(now, service2, registry2);
      return tagsOf(planned).map(({ tag, phase }) => {
        const question = { plan, planned, registry: registry2, tag, now, start, begun: begun.get(service2) ?? [] };
        const standing = stateOf(question);
        const gives = standing.state === "to write" && standing.why === "given back";
        return {
          phase,
          service: service2,
          registry: registry2,
          required: required2,
          tag,
          ...gives ? standing.to : { digest, version: plan.version },
          before: sight.state === "seen" ? sight.tags.get(tag) : void 0,
          standing
        };
      });
    })
  );
  return PHASES.flatMap((phase) => steps.filter((step) => step.phase === phase));
}
function newerVersions(plan, now, start, service2) {
  return plan.registries.flatMap(({ registry: registry2 }) => {
    const before = snapshotOf(start, service2, registry2);
    const after = snapshotOf(now, service2, registry2);
    if (before.state !== "seen" || after.state !== "seen") return [];
    const known = new Set(stableVersions(before.tags, service2).map(({ text: text2 }) => text2));
    return stableVersions(after.tags, service2).filter((version2) => !known.has(version2.text) && isNewer(version2, plan.version)).map((version2) => ({ version: version2, registry: registry2 }));
  });
}
function tagsOf({ tags: tags2 }) {
  return [
    { tag: tags2.version, phase: "version" },
    ...tags2.floating.map((tag) => ({
      tag,
      phase: tag === LATEST ? "latest" : "floating"
    }))
  ];
}
function stateOf(question) {
  const { plan, planned, registry: registry2, tag, now } = question;
  const sight = snapshotOf(now, planned.service, registry2);
  if (sight.state !== "seen") {
    return { state: "unreachable", told: sight.why };
  }
  const where2 = `${planned.service} in ${registry2}, tag ${tag}`;
  const kind = kindOfTag(tag);
  const move = isFloating(kind) ? decideFloatingTag({
    tag,
    held: sight.tags.get(tag),
    wanted: { digest: planned.digest, version: plan.version },
    claims: claimsOn(kind, question, sight.tags),
    allowBackwards: plan.allowBackwards,
    adopt: plan.adopt,
    where: where2
  }) : versionMove(question, sight.tags, where2);
  switch (move.act) {
    case "keep": {
      const to = isFloating(kind) ? rightful(kind, question, sight.tags) : void 0;
      return to === void 0 ? { state: "already there" } : { state: "to write", why: "given back", to };
    }
    case "stay":
      return { state: "stays", newer: move.newer, told: move.told };
    case "refuse":
      return { state: "refused", error: move.error };
    case "write":
      if (!hasDigest(sight.tags, planned.digest))
        return { state: "missing", told: "the image is not there yet" };
      return { state: "to write", why: move.why };
  }
}
function versionMove({ plan, planned, tag }, tags2, where2) {
  const found = tagOfVersion(tags2, plan.version, planned.service);
  const move = decideVersionTag({
    held: found?.digest,
    wanted: planned.digest,
    where: found === void 0 || found.tag === tag ? where2 : `${where2} (there as ${found.tag})`
  });
  const respelled = move.act === "keep" && found?.tag !== tag;
  return move.act === "write" || respelled ? { act: "write", why: "new" } : move;
}
function claimsOn(kind, { plan, planned, registry: registry2, tag, now, begun }, tags2) {
  const { service: service2 } = planned;
  const elsewhere = plan.registries.flatMap(({ registry: other, required: required2 }) => {
    if (other === registry2 || !required2) return [];
    const sight = snapshotOf(now, service2, other);
    const version2 = sight.state === "seen" ? sight.tags.get(tag)?.version : void 0;
    return version2 === void 0 ? [] : [{ version: version2, by: `is ${tag} in ${other}` }];
  });
  const meanwhile = begun.map(({ version: version2, registry: other }) => ({
    version: version2,
    by: `is being released (its tag came to ${other} meanwhile)`
  }));
  const here = tags2.has(tag) ? [] : stableVersions(tags2, service2).filter((version2) => inLine(kind, version2));
  const newest = newestVersion(here);
  return [
    ...elsewhere,
    ...meanwhile,
    ...newest === void 0 ? [] : [{ version: newest, by: "is there already" }]
  ];
}
function rightful(kind, { plan, planned, tag, now, start, begun }, tags2) {
  if (plan.allowBackwards) return void 0;
  const { service: service2 } = planned;
  const moved = plan.registries.flatMap(({ registry: registry2 }) => {
    const [before, after] = [start, now].map((sights) => heldUnder(sights, service2, registry2, tag));
    if (after?.version === void 0 || after.digest === before?.digest) return [];
    return [{ version: after.version, digest: after.digest }];
  });
  const complete = begun.flatMap(({ version: version2 }) => {
    const held = tagOfVersion(tags2, version2, service2);
    return held !== void 0 && isEverywhere(version2, plan, now) ? [{ version: version2, digest: held.digest }] : [];
  });
  const newer = [...moved, ...complete].filter(
    ({ version: version2 }) => version2.stable && inLine(kind, version2) && isNewer(version2, plan.version) && tagOfVersion(tags2, version2, service2) !== void 0
  );
  const newest = newestVersion(newer.map(({ version: version2 }) => version2));
  return newer.find(({ version: version2 }) => version2 === newest);
}
function isEverywhere(version2, plan, now) {
  return plan.services.every(
    ({ service: service2 }) => plan.registries.every(({ registry: registry2, required: required2 }) => {
      const sight = snapshotOf(now, service2, registry2);
      return !required2 || sight.state === "seen" && tagOfVersion(sight.tags, version2, service2) !== void 0;
    })
  );
}
function heldUnder(sights, service2, registry2, tag) {
  const sight = snapshotOf(sights, service2, registry2);
  return sight.state === "seen" ? sight.tags.get(tag) : void 0;
}
function stableVersions(tags2, service2) {
  return versionsOf(tags2, service2).filter(({ stable }) => stable);
}

// packages/release-rules/src/compose-record.ts
function composeRecord(release) {
  const { plan, steps, now, images, repository, pipeline: pipeline2 } = release;
  const services = plan.services.flatMap(({ service: service2, digest }) => {
    const image = images.get(service2);
    if (image === void 0 || image.platforms.length === 0) return [];
    const { revision = "unknown", candidate, platforms } = image;
    const registries3 = plan.registries.map(({ registry: registry2 }) => {
      const own2 = steps.filter((step) => step.service === service2 && step.registry === registry2);
      const place2 = {
        reference: `${repository(registry2, service2)}@${digest}`,
        tags: own2.filter(({ standing }) => standing.state === "already there").map(({ tag }) => tag),
        state: own2.every(isSettled) ? "complete" : "incomplete"
      };
      return [registry2, place2];
    });
    const facts = { digest, revision, ...candidate === void 0 ? {} : { candidate } };
    return [[service2, { ...facts, platforms: [...platforms], registries: Object.fromEntries(registries3) }]];
  });
  if (services.length === 0) return void 0;
  const createdAt = newestTime([...images.values()].map(({ created }) => created));
  return {
    schemaVersion: 1,
    mediaType: RECORD_MEDIA_TYPE,
    kind: isRollback(plan, steps, now) ? "rollback" : "release",
    version: plan.version.text,
    tags: tagsOf2(plan.services),
    services: Object.fromEntries(services),
    pipeline: pipeline2,
    ...createdAt === void 0 ? {} : { createdAt }
  };
}
function isRollback(plan, steps, now) {
  if (!plan.allowBackwards) return false;
  return steps.some(({ service: service2, registry: registry2, tag, standing }) => {
    const sight = snapshotOf(now, service2, registry2);
    const kind = kindOfTag(tag);
    if (!isFloating(kind) || standing.state !== "already there" || sight.state !== "seen") return false;
    return versionsOf(sight.tags, service2).some(
      (other) => other.stable && inLine(kind, other) && isNewer(other, plan.version)
    );
  });
}
function tagsOf2(services) {
  return [
    .../* @__PURE__ */ new Set([
      ...services.map(({ tags: tags2 }) => tags2.version),
      ...services.flatMap(({ tags: tags2 }) => tags2.floating)
    ])
  ];
}
function newestTime(texts) {
  const times = texts.map((text2) => new Date(text2 ?? Number.NaN).getTime()).filter(Number.isFinite);
  return times.length === 0 ? void 0 : new Date(Math.max(...times)).toISOString();
}

// packages/release-rules/src/gate.ts
function decideGate(asked) {
  const { version: version2, services, registries: registries3, entries: entries2 } = asked;
  const reasons = [];
  const later2 = [];
  if (services.length === 0) reasons.push(nothing("no service is to be released"));
  if (registries3.length === 0) reasons.push(nothing("there is no registry to release to"));
  const asPlanned = [...new Set(services)].map((service2) => {
    const places = registries3.map(({ registry: registry2, required: required2 }) => ({
      required: required2,
      entry: entries2.find((entry) => entry.service === service2 && entry.registry === registry2) ?? {
        ...ABSENT,
        service: service2,
        registry: registry2
      }
    }));
    return { service: service2, places, digest: agreedDigest(places) };
  });
  const begun = asPlanned.some(
    ({ places, digest }) => places.some(({ required: required2, entry: { versionTag: versionTag2 } }) => {
      return required2 && versionTag2.state === "held" && versionTag2.digest === digest;
    })
  );
  const digests = /* @__PURE__ */ new Map();
  for (const { service: service2, places, digest } of asPlanned) {
    if (digest !== void 0) digests.set(service2, digest);
    else if (registries3.length > 0 && !places.some(({ required: required2 }) => required2)) {
      const what = "no registry holds a verified candidate";
      reasons.push({ kind: "candidate missing", service: service2, what, told: `${service2}: ${what}` });
    }
    for (const { required: required2, entry } of places) {
      for (const reason of [
        ...candidateReasons(entry, version2, digest),
        ...tagReasons(entry, version2, digest)
      ]) {
        const binds = required2 || reason.kind === "version taken" && !begun;
        (binds ? reasons : later2).push(reason);
      }
    }
  }
  return reasons.length === 0 ? { open: true, digests, later: later2 } : { open: false, reasons, later: later2 };
}
function formatReasons(reasons) {
  const places = /* @__PURE__ */ new Map();
  for (const reason of reasons) {
    const key2 = JSON.stringify([reason.service, reason.what]);
    const { registries: registries3 } = places.get(key2) ?? { registries: [] };
    places.set(key2, {
      reason,
      registries: reason.registry === void 0 ? registries3 : [...registries3, reason.registry]
    });
  }
  return [...places.values()].map(({ reason: { service: service2, what }, registries: registries3 }) => {
    if (service2 === void 0) return what;
    return `${service2}${registries3.length === 0 ? "" : ` in ${registries3.join(", ")}`}: ${what}`;
  });
}
var ABSENT = {
  candidate: { state: "missing" },
  versionTag: { state: "unknown", why: "not asked" }
};
function nothing(told2) {
  return { kind: "nothing to release", what: told2, told: told2 };
}
function agreedDigest(places) {
  const binding = places.some(({ required: required2 }) => required2) ? places.filter(({ required: required2 }) => required2) : places;
  const found = binding.flatMap(
    ({ entry: { candidate } }) => candidate.state === "verified" ? [candidate.digest] : []
  );
  const count3 = (digest) => found.filter((other) => other === digest).length;
  return found.reduce(
    (best, digest) => best === void 0 || count3(digest) > count3(best) ? digest : best,
    void 0
  );
}
function candidateReasons({ service: service2, registry: registry2, candidate, versionTag: versionTag2 }, version2, digest) {
  const reason = (kind, what) => [
    { kind, service: service2, registry: registry2, what, told: `${service2} in ${registry2}: ${what}` }
  ];
  if (candidate.state === "missing") {
    const why = candidate.why === void 0 ? "" : `: ${candidate.why}`;
    return reason("candidate missing", `the candidate is not there${why}`);
  }
  if (candidate.state === "failed")
    return reason("candidate failed", `the candidate did not pass: ${candidate.why}`);
  if (candidate.digest !== digest)
    return reason(
      "digests differ",
      `the candidate is ${candidate.digest}, elsewhere it is ${digest ?? "unknown"}`
    );
  if (versionTag2.state === "held" && versionTag2.digest === digest) return [];
  const problem3 = candidateProblem(candidate, version2, registry2);
  return problem3 === void 0 ? [] : reason("candidate refused", problem3.what);
}
function tagReasons({ service: service2, registry: registry2, versionTag: versionTag2 }, version2, digest) {
  const reason = (kind, what) => [
    { kind, service: service2, registry: registry2, what, told: `${service2} in ${registry2}: ${what}` }
  ];
  if (versionTag2.state === "unknown")
    return reason("version tag unknown", `whether ${version2.text} is taken is not known: ${versionTag2.why}`);
  if (versionTag2.state === "absent" || digest === void 0 || versionTag2.digest === digest) return [];
  return reason(
    "version taken",
    `${version2.text} is there already and is ${versionTag2.digest}; a version's tag never changes`
  );
}

// packages/release-rules/src/git-tag.ts
function parseReleaseTag(tag, services) {
  const name4 = tag.replace(/^refs\/tags\//, "");
  const readings = readingsOf(name4, services);
  const [reading] = readings;
  if (reading === void 0) throw notARelease(name4, services);
  if (readings.length > 1) {
    const meanings = readings.map(
      ({ version: version2, service: service2 }) => `${version2.text} of ${service2 ?? "all services"}`
    );
    throw new TgoError("USAGE", `Git tag "${name4}" can be read as ${meanings.join(", and as ")}`, {
      remedy: "Release with --version and --service instead, which say which one."
    });
  }
  return reading;
}
function readingsOf(name4, services) {
  return [void 0, ...new Set(services)].flatMap((service2) => {
    const start = service2 === void 0 ? "" : `${service2}-`;
    const rest = name4.startsWith(start) ? name4.slice(start.length) : "";
    const version2 = service2 === void 0 || rest.startsWith("v") ? readVersion(rest) : void 0;
    return version2 === void 0 ? [] : [{ version: version2, service: service2 }];
  });
}
function notARelease(name4, services) {
  const known = `Services: ${services.join(", ") || "none"}.`;
  const grammar = "A release is tagged v1.2.3 (all services) or <service>-v1.2.3 (one service).\n" + VERSION_GRAMMAR;
  const stranger = /^(.+)-v(?=\d)(.+)$/.exec(name4);
  if (stranger?.[1] !== void 0 && readVersion(stranger[2] ?? "") !== void 0) {
    return new TgoError("USAGE", `Git tag "${name4}" names "${stranger[1]}", which is not a service`, {
      remedy: `${known}
${grammar}`
    });
  }
  const nearest = nearestTag(name4, services);
  return new TgoError("USAGE", `Git tag "${name4}" is not a release`, {
    remedy: [...nearest === void 0 ? [] : [`Write ${nearest}.`], grammar, known].join("\n")
  });
}
function nearestTag(name4, services) {
  const owner = services.filter((service2) => name4.startsWith(service2) && /^[-/@_.]/.test(name4.slice(service2.length))).sort((a, b) => b.length - a.length)[0];
  const version2 = nearestVersion(owner === void 0 ? name4 : name4.slice(owner.length + 1));
  if (version2 === void 0) return void 0;
  return owner === void 0 ? `v${version2}` : `${owner}-v${version2}`;
}

// packages/release-rules/src/next-steps.ts
function nextSteps(now, plan, start = now) {
  const steps = tagSteps(plan, now, start);
  return { steps, next: nextOf(steps), overtaking: overtaking(now, plan, start) };
}
function nextOf(steps) {
  const binding = steps.filter(({ required: required2 }) => required2);
  const versions = steps.filter(({ phase }) => phase === "version");
  const begun = versions.some(({ required: required2, standing }) => required2 && standing.state === "already there");
  const taken = versions.filter(
    ({ required: required2, standing }) => standing.state === "refused" && (required2 || !begun)
  );
  if (taken.length > 0) return { act: "stop", because: taken };
  const writes = PHASES.flatMap((phase) => {
    if (!isOpen(phase, binding)) return [];
    return steps.filter(
      (step) => step.phase === phase && step.standing.state === "to write" && (step.required || isOpen(phase, inRegistry(steps, step.registry)))
    );
  });
  if (writes.length > 0) return { act: "write", steps: writes };
  const left = binding.filter((step) => !isSettled(step));
  if (left.length === 0) return { act: "done", later: steps.filter((step) => !isSettled(step)) };
  return { act: "stop", because: left.filter(({ standing }) => standing.state !== "to write") };
}
function isOpen(phase, steps) {
  const at = PHASES.indexOf(phase);
  const before = steps.filter((step) => PHASES.indexOf(step.phase) < at);
  const fromHere = steps.filter((step) => PHASES.indexOf(step.phase) >= at);
  const begun = fromHere.some((step) => step.phase === phase && step.standing.state === "already there");
  const refused = fromHere.some(({ standing }) => standing.state === "refused");
  return before.every(isSettled) && (begun || !refused);
}
function inRegistry(steps, registry2) {
  return steps.filter((step) => step.registry === registry2);
}
function overtaking(now, plan, start) {
  return plan.services.flatMap(({ service: service2 }) => {
    const found = newerVersions(plan, now, start, service2);
    const versions = [...new Set(found.map(({ version: version2 }) => version2.text))];
    return versions.map((version2) => {
      const registries3 = found.filter((entry) => entry.version.text === version2).map(({ registry: registry2 }) => registry2);
      return `${service2}: ${version2} came to ${registries3.join(", ")} while ${plan.version.text} was released`;
    });
  });
}

// packages/release-rules/src/prunable-tags.ts
var UNKNOWN_BEFORE = Date.UTC(1981, 0, 1);
function selectPrunable(given, options) {
  const tags2 = datedByCandidate(given);
  const byDigest = /* @__PURE__ */ new Map();
  for (const tag of tags2) byDigest.set(tag.digest, [...byDigest.get(tag.digest) ?? [], tag]);
  const youngest = youngestCandidates(tags2, options.keep ?? 0);
  const remove = [];
  const keep = [];
  for (const [digest, group] of byDigest) {
    const ours = group.filter(isPassing);
    if (ours.length === 0) continue;
    const reason = reasonToKeep(group, youngest, options);
    if (reason === void 0) {
      const names = group.map(({ tag }) => tag).sort();
      remove.push({ digest, tags: names, why: `from ${dateOf(group)}, and no version or floating tag` });
    } else {
      for (const { tag } of ours) keep.push({ tag, digest, why: reason });
    }
  }
  return { remove: sorted(remove, ({ tags: [first = ""] }) => first), keep: sorted(keep, ({ tag }) => tag) };
}
function datedByCandidate(tags2) {
  const candidates = new Map(tags2.filter(isCandidate).map(({ tag, created }) => [tag, created]));
  return tags2.map(
    (tag) => isStaging(tag) ? { ...tag, created: candidates.get(tag.tag.replace(/^staging-/, "candidate-")) } : tag
  );
}
function reasonToKeep(group, youngest, { before, undated = false }) {
  const others = group.filter((tag) => !isPassing(tag)).map(({ tag }) => tag);
  if (others.length > 0) return `its image is ${others.sort().join(", ")}`;
  const times = group.flatMap(({ created }) => timeOf(created) ?? []);
  if (times.length < group.length && !undated)
    return group.every(isStaging) ? "its candidate is not there, or has no date: it may be in the making" : "nothing says how old it is";
  if (times.some((time3) => time3 >= before.getTime())) return `from ${dateOf(group)}, not old enough`;
  const kept = group.find(({ tag }) => youngest.has(tag));
  return kept === void 0 ? void 0 : "one of the youngest candidates";
}
function youngestCandidates(tags2, count3) {
  const candidates = tags2.filter(isCandidate);
  const byAge = [...candidates].sort(
    (a, b) => (timeOf(b.created) ?? 0) - (timeOf(a.created) ?? 0) || (a.tag < b.tag ? -1 : 1)
  );
  return new Set(byAge.slice(0, count3).map(({ tag }) => tag));
}
function isPassing(tag) {
  return isCandidate(tag) || isStaging(tag);
}
function isCandidate({ tag }) {
  return kindOfTag(tag).kind === "candidate";
}
function isStaging({ tag }) {
  return kindOfTag(tag).kind === "staging";
}
function timeOf(created) {
  const time3 = created?.getTime() ?? Number.NaN;
  return time3 >= UNKNOWN_BEFORE ? time3 : void 0;
}
function dateOf(group) {
  const times = group.flatMap(({ created }) => timeOf(created) ?? []);
  return times.length === 0 ? "an unknown time" : new Date(Math.max(...times)).toISOString().slice(0, 10);
}
function sorted(items, key2) {
  return [...items].sort((a, b) => key2(a) < key2(b) ? -1 : 1);
}

// packages/release-rules/src/release-plan.ts
function planRelease(release) {
  const { version: version2, gate: gate4, registries: registries3, policies = {}, allowBackwards = false, adopt = false } = release;
  if (allowBackwards && !version2.stable) {
    throw new TgoError("USAGE", `${version2.text} is a prerelease: it has no floating tag to go backwards`, {
      where: "--allow-backwards",
      remedy: "Leave the flag out, or name a stable version."
    });
  }
  const services = [...gate4.digests].map(([service2, digest]) => ({
    service: service2,
    digest,
    tags: planTags(version2, policies[service2] ?? TagPolicy.parse({}))
  }));
  return { version: version2, services, registries: registries3, allowBackwards, adopt };
}

// packages/release-rules/src/disagreement.ts
function disagreement(kind, service2, places, tag, told2) {
  return { kind, service: service2, registries: registriesOf(places), tag, told: `${service2}: ${told2}` };
}
function registryNames(places) {
  return registriesOf(places).join(", ");
}
function registriesOf(places) {
  return [...new Set(places.map(({ registry: registry2 }) => registry2))];
}
function shortDigest(digest) {
  return digest.replace(/^sha256:/, "").slice(0, 12);
}

// packages/release-rules/src/group-by.ts
function groupBy(items, key2) {
  const groups = /* @__PURE__ */ new Map();
  for (const item of items) {
    const group = groups.get(key2(item));
    if (group === void 0) groups.set(key2(item), [item]);
    else group.push(item);
  }
  return groups;
}

// packages/release-rules/src/floating-status.ts
function floatingDisagreements(service2, policy, places) {
  const floating = [...new Set(places.flatMap(({ tags: tags2 }) => [...tags2.keys()]))].filter(
    (tag) => isFloating(kindOfTag(tag))
  );
  floating.sort((a, b) => rank(a) - rank(b) || b.localeCompare(a, "en", { numeric: true }));
  return [
    ...floating.flatMap((tag) => ofFloatingTag(service2, tag, places)),
    ...withoutLatest(service2, policy, places)
  ];
}
function rank(tag) {
  return tag === LATEST ? 0 : 1;
}
function ofFloatingTag(service2, tag, places) {
  const kind = kindOfTag(tag);
  if (!isFloating(kind)) return [];
  const found = [];
  const groups = groupBy(places, ({ tags: tags2 }) => tags2.get(tag)?.digest);
  const missing2 = groups.get(void 0) ?? [];
  const there = [...groups].filter(([digest]) => digest !== void 0);
  if (there.length > 1) {
    const parts = there.map(([, group]) => `${nameOf(group[0]?.tags.get(tag))} in ${registryNames(group)}`);
    found.push(disagreement("tag differs", service2, places, tag, `${tag} is ${parts.join(", and ")}`));
  }
  if (missing2.length > 0)
    found.push(
      disagreement("tag missing", service2, missing2, tag, `there is no ${tag} in ${registryNames(missing2)}`)
    );
  const judgements = places.flatMap((place2) => {
    const holding = place2.tags.get(tag);
    const judgement = holding && judge(service2, tag, kind, holding, place2.tags);
    return judgement === void 0 ? [] : [{ ...judgement, place: place2 }];
  });
  for (const [, group] of groupBy(judgements, ({ told: told2 }) => told2)) {
    const [first] = group;
    const at = group.map(({ place: place2 }) => place2);
    if (first === void 0) continue;
    const { told: told2, remedy } = first;
    found.push({ ...disagreement(first.kind, service2, at, tag, `${told2} (${registryNames(at)})`), remedy });
  }
  return found;
}
function judge(service2, tag, kind, { digest, version: version2 }, tags2) {
  if (version2 === void 0)
    return {
      kind: "strange",
      told: `${tag} is ${shortDigest(digest)}, and nothing says which version that is`
    };
  if (!inLine(kind, version2))
    return { kind: "strange", told: `${tag} is ${version2.text}, which is no version of ${tag}` };
  if (!version2.stable) return { kind: "strange", told: `${tag} is ${version2.text}, a prerelease` };
  const line = versionsOf(tags2, service2).filter((other) => other.stable && inLine(kind, other));
  const newest = newestVersion(line);
  if (newest === void 0 || isNewer(version2, newest)) {
    const known = newest === void 0 ? "no version" : `no version newer than ${newest.text}`;
    return { kind: "ahead", told: `${tag} is ${version2.text}, but ${known} is tagged there` };
  }
  if (isNewer(newest, version2))
    return {
      kind: "behind",
      told: `${tag} is ${version2.text}, the newest is ${newest.text}`,
      remedy: behind(newest)
    };
  const tagged = tagOfVersion(tags2, version2, service2);
  if (tagged === void 0 || tagged.digest === digest) return void 0;
  return {
    kind: "strange",
    told: `${tag} calls itself ${version2.text}, but is another image than ${tagged.tag}`
  };
}
function behind({ text: text2 }) {
  return `Behind ${text2}: moved back on purpose, or a release did not end. The release command of ${text2} ends it; promote says which version the floating tags stand for, with --allow-backwards an older one.`;
}
function withoutLatest(service2, policy, places) {
  if (policy?.latest !== true || places.length === 0 || places.some(({ tags: tags2 }) => tags2.has(LATEST)))
    return [];
  const newest = newestVersion(
    places.flatMap(({ tags: tags2 }) => versionsOf(tags2, service2).filter((v) => v.stable))
  );
  if (newest === void 0) return [];
  const told2 = `there is no ${LATEST} anywhere, though there is ${newest.text}`;
  return [disagreement("tag missing", service2, places, LATEST, told2)];
}
function nameOf(holding) {
  if (holding === void 0) return "absent";
  return holding.version === void 0 ? shortDigest(holding.digest) : `${holding.version.text} (${shortDigest(holding.digest)})`;
}

// packages/release-rules/src/version-status.ts
function versionDisagreements(service2, places) {
  return [...differingVersions(service2, places), ...missingVersions(service2, places)];
}
function differingVersions(service2, places) {
  const tagged = places.flatMap(
    ({ registry: registry2, tags: tags2 }) => [...tags2].flatMap(([tag, { digest }]) => {
      const kind = kindOfTag(tag, service2);
      return kind.kind === "version" ? [{ registry: registry2, tag, digest, version: kind.version.text }] : [];
    })
  );
  const byVersion = groupBy(tagged, ({ version: version2 }) => version2);
  return allVersions(service2, places).flatMap(({ text: text2 }) => {
    const groups = [...groupBy(byVersion.get(text2) ?? [], ({ digest }) => digest)];
    if (groups.length < 2) return [];
    const parts = groups.map(([digest, group]) => {
      const spellings = [...new Set(group.map(({ tag }) => tag))].filter((tag) => tag !== text2);
      return `${shortDigest(digest)} in ${registryNames(group)}${spellings.length === 0 ? "" : ` (as ${spellings.join(", ")})`}`;
    });
    return [disagreement("version differs", service2, places, text2, `${text2} is ${parts.join(", and ")}`)];
  });
}
var MOST_NAMED = 3;
function missingVersions(service2, places) {
  const all = allVersions(service2, places);
  return places.flatMap((place2) => {
    const missing2 = all.filter((version2) => tagOfVersion(place2.tags, version2, service2) === void 0);
    if (missing2.length === 0) return [];
    const named = missing2.slice(0, MOST_NAMED).map(({ text: text2 }) => text2);
    const more = missing2.length - named.length;
    const told2 = `${place2.registry} lacks ${named.join(", ")}${more === 0 ? "" : ` and ${more} older`}`;
    return [
      disagreement("version missing", service2, [place2], void 0, `${told2}, which other registries have`)
    ];
  });
}
function allVersions(service2, places) {
  return versionsOf(new Map(places.flatMap(({ tags: tags2 }) => [...tags2])), service2);
}

// packages/release-rules/src/compare-status.ts
function compareStatus(services) {
  return [...services.flatMap(ofService), ...acrossServices(services)];
}
function ofService({ service: service2, policy, places: all }) {
  const places = seenPlaces(all);
  const unseen = all.flatMap(
    ({ registry: registry2, held }) => held.state === "seen" ? [] : [
      {
        kind: "not asked",
        service: service2,
        registries: [registry2],
        told: `${service2}: ${registry2} could not be asked: ${held.why}`
      }
    ]
  );
  return [
    ...unseen,
    ...floatingDisagreements(service2, policy, places),
    ...versionDisagreements(service2, places)
  ];
}
function seenPlaces(places) {
  return places.flatMap(
    ({ registry: registry2, held }) => held.state === "seen" ? [{ registry: registry2, tags: held.tags }] : []
  );
}
function acrossServices(services) {
  const settled2 = services.flatMap(({ service: service2, places }) => {
    const seen2 = seenPlaces(places);
    const versions = [...new Set(seen2.map(({ tags: tags2 }) => tags2.get(LATEST)?.version?.text))];
    const [version2] = versions;
    return versions.length === 1 && version2 !== void 0 ? [{ service: service2, version: version2, seen: seen2 }] : [];
  });
  const groups = [...groupBy(settled2, ({ version: version2 }) => version2)].sort(([a], [b]) => order(b, a));
  if (groups.length < 2) return [];
  const parts = groups.map(
    ([version2, group]) => `${version2} in ${group.map(({ service: service2 }) => service2).join(", ")}`
  );
  const registries3 = [...new Set(settled2.flatMap(({ seen: seen2 }) => seen2.map(({ registry: registry2 }) => registry2)))];
  return [{ kind: "services differ", registries: registries3, tag: LATEST, told: `${LATEST} is ${parts.join(", and ")}` }];
}
function order(a, b) {
  const [left, right] = [readVersion(a), readVersion(b)];
  if (left === void 0 || right === void 0) return 0;
  return isNewer(left, right) ? 1 : -1;
}

// packages/release-rules/src/status.ts
function releaseStatus(asked) {
  const seen2 = asked.services.map(({ service: service2, policy }) => ({
    service: service2,
    policy,
    places: asked.registries.map((registry2) => ({
      registry: registry2,
      held: snapshotOf(asked.sights, service2, registry2)
    }))
  }));
  return {
    rows: seen2.flatMap(
      ({ service: service2, places }) => places.map(
        ({ registry: registry2, held }) => held.state === "seen" ? { service: service2, registry: registry2, ...pointers(held.tags, service2) } : { service: service2, registry: registry2, unreachable: held.why, lines: [] }
      )
    ),
    disagreements: compareStatus(seen2)
  };
}
function pointers(tags2, service2) {
  const versions = versionsOf(tags2, service2);
  const stable = newestVersion(versions.filter((version2) => version2.stable));
  const newest = newestVersion(versions);
  const latest = tags2.get(LATEST);
  return {
    latest: latest && pointer(LATEST, latest),
    lines: [...tags2].filter(([tag]) => tag !== LATEST && isFloating(kindOfTag(tag))).sort(([a], [b]) => b.localeCompare(a, "en", { numeric: true })).map(([tag, holding]) => pointer(tag, holding)),
    newest: stable && versionPointer(tags2, stable, service2),
    prerelease: newest === void 0 || newest.stable ? void 0 : versionPointer(tags2, newest, service2)
  };
}
function pointer(tag, { digest, version: version2 }) {
  return { tag, digest, version: version2?.text };
}
function versionPointer(tags2, version2, service2) {
  const found = tagOfVersion(tags2, version2, service2);
  return found && { ...found, version: version2.text };
}

// packages/catalog/src/platform.ts
var PLATFORMS = ["linux/amd64", "linux/arm64"];
var Platform = _enum(PLATFORMS);
function parsePlatform(text2) {
  const platform2 = PLATFORMS.find((known) => known === text2.trim());
  if (platform2 !== void 0) return platform2;
  throw new TgoError("USAGE", `"${text2}" is not a platform this product builds`, {
    remedy: `Use one of: ${PLATFORMS.join(", ")}.`
  });
}

// packages/catalog/src/registry.ts
var HOST = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/;
var REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
var Registry = strictObject({
  host: string2().regex(HOST, "must be a host name with an optional port, such as ghcr.io or localhost:5000").describe("Host as it stands in an image reference."),
  repository: string2().refine((path) => REPOSITORY.test(path.replaceAll("{service}", "service")), {
    message: "must be a lower-case path, such as tgoai/{service}"
  }).refine((path) => path.includes("{service}"), "must contain {service}").describe("Path below the host; {service} is the service's name."),
  required: boolean2().default(true).describe("Whether a release waits for this registry. Others are reported and caught up later."),
  public: boolean2().default(false).describe("Whether everybody may pull: verification then also pulls without credentials."),
  referrers: boolean2().default(false).describe("Whether the registry accepts artifacts (SBOM, provenance, release record).")
}).describe("A registry images are published to.");
var registries = {
  ghcr: { host: "ghcr.io", repository: "tgoai/tgo-deploy/{service}", public: true, referrers: true },
  dockerhub: { host: "docker.io", repository: "tgoai/{service}", public: true, referrers: true },
  acr: { host: "registry.cn-shanghai.aliyuncs.com", repository: "tgoai/{service}", public: true }
};
function registryRepository(registry2, service2) {
  return { host: registry2.host, repository: registry2.repository.replaceAll("{service}", service2) };
}
function parseRegistryFlag(text2, known) {
  const match = /^(?:([a-z0-9][a-z0-9._-]*)=)?([^/=]+)\/(.+)$/.exec(text2.trim());
  const [, name4, host, path] = match ?? [];
  if (host === void 0 || path === void 0) throw notARegistry(text2, "it has no host or no path");
  const base = name4 === void 0 ? void 0 : known[name4];
  const parsed = Registry.safeParse({
    ...base,
    host,
    repository: path.includes("{service}") ? path : `${path.replace(/\/$/, "")}/{service}`
  });
  if (!parsed.success) throw notARegistry(text2, parsed.error.issues.map((issue2) => issue2.message).join("; "));
  return { name: name4 ?? host, registry: parsed.data };
}
function notARegistry(text2, why) {
  return new TgoError("USAGE", `--registry "${text2}" is not a registry: ${why}`, {
    remedy: "Write [name=]host[:port]/path, such as localhost:5001/tgoai or ghcr=ghcr.io/me/tgo/{service}."
  });
}

// packages/catalog/src/service.ts
var AbsolutePath = string2().regex(/^\/[^\0]*$/, "must be an absolute path");
var RelativePath = string2().regex(/^(?!\/)(?!.*(^|\/)\.\.(\/|$))[^\0]+$/, "must be a path inside the source, without ..");
var Port = int().min(1).max(65535);
var Mode = string2().regex(/^0?[0-7]{3}$/, "must be an octal mode such as 0755").describe("Octal file mode, e.g. 0755.");
var Owner = string2().regex(/^\d+(:\d+)?$/, "must be numeric: names differ between base images").describe("uid or uid:gid.");
var Duration = string2().regex(/^(\d+(\.\d+)?(ms|s|m|h))+$/, "must be a duration such as 30s or 1m30s").describe("A duration, e.g. 30s.");
var VariableName = string2().regex(/^[A-Za-z_]\w*$/, "must be a variable name");
var Template = string2();
var FileCopy = strictObject({
  from: RelativePath.describe("Path in the service's source."),
  to: AbsolutePath.describe("Path in the image."),
  mode: Mode.optional(),
  owner: Owner.optional()
}).describe("A file of the source put somewhere else in the image.");
var Healthcheck = strictObject({
  command: array(string2()).min(1).describe("Command and arguments, run without a shell."),
  interval: Duration.default("30s"),
  timeout: Duration.default("10s"),
  startPeriod: Duration.default("30s"),
  retries: int().min(1).default(3)
});
var Image = strictObject({
  user: string2().min(1).optional().describe("User the service runs as; numeric where possible."),
  workdir: AbsolutePath.optional(),
  env: record(VariableName, Template).default({}),
  entrypoint: array(string2()).optional().describe("Replaces the base image's entrypoint."),
  command: array(string2()).optional().describe("The command the image starts with."),
  ports: array(Port).default([]),
  directories: array(strictObject({ path: AbsolutePath, owner: Owner.optional(), mode: Mode.optional() })).default([]).describe("Empty directories the service writes to."),
  users: array(
    strictObject({
      name: string2().regex(/^[a-z_][a-z0-9_-]{0,31}$/, "must be a user name"),
      uid: int().min(1).max(65533),
      gid: int().min(1).max(65533).optional().describe("As the uid when absent."),
      home: AbsolutePath.default("/nonexistent")
    })
  ).default([]).describe(
    "Users and their groups added to /etc/passwd and /etc/group; uids are given, so that they stay."
  ),
  links: array(strictObject({ path: AbsolutePath, target: string2().min(1) })).default([]).describe("Symbolic links."),
  files: array(FileCopy).default([]),
  healthcheck: Healthcheck.optional(),
  labels: record(string2(), Template).default({})
}).describe("What the image's configuration says.");
var DebianPackage = string2().regex(/^[a-z0-9][a-z0-9+.-]+$/, "must be a Debian package name");
var Data = strictObject({
  command: array(string2()).min(1).describe("Run natively, once for all platforms, with the locked packages; must exit with 0."),
  output: AbsolutePath.describe("The folder it fills, at the same path in the image. Must not end empty."),
  package: string2().min(1).optional().describe("The locked package it is for: where the lock has no such package, the entry is left out."),
  platforms: record(string2(), record(VariableName, string2())).optional().describe(
    "For data that differs by machine: variables of each platform, such as linux/arm64, that tell the command which machine to fetch for. It then runs once for each platform, natively all the same."
  )
});
var PythonBuild = strictObject({
  strategy: literal("python"),
  base: BaseImage.default("docker.io/library/python:3.11-slim"),
  packages: array(DebianPackage).default([]).describe("Debian packages needed at run time."),
  lock: string2().regex(
    /^(?:poetry\.lock|uv\.lock|[\w.-]+\.txt)$/,
    "must be poetry.lock, uv.lock or a requirements file (.txt)"
  ).optional().describe("The lock; the first there is of poetry.lock, uv.lock and requirements.txt when absent."),
  groups: array(string2()).default(["main"]).describe("Dependency groups that ship; main are the project's own dependencies."),
  buildPackages: array(DebianPackage).default([]).describe(
    "Debian packages needed to compile locked packages without a wheel, e.g. libpq-dev. Never shipped."
  ),
  data: array(Data).default([]).describe("Data that no wheel brings, such as NLTK corpora."),
  environment: AbsolutePath.default("/app/.venv").describe("Where the locked packages are installed."),
  exclude: array(string2()).default([]).describe("Source paths that do not ship, beyond .dockerignore.")
}).describe("A Python service with locked packages: poetry.lock, uv.lock, or requirements with hashes.");
var StaticWebBuild = strictObject({
  strategy: literal("static-web"),
  builder: BaseImage.default("docker.io/library/node:20-alpine"),
  base: BaseImage.default("docker.io/library/nginx:alpine"),
  script: string2().min(1).default("build").describe("The package.json script that builds."),
  output: RelativePath.default("dist").describe("The folder that script writes."),
  root: AbsolutePath.default("/usr/share/nginx/html").describe("Where nginx serves it from."),
  singlePage: boolean2().default(true).describe(
    "Whether paths without a file are answered with index.html; for the nginx configuration that is written when image.files brings none."
  ),
  values: record(
    string2().regex(/^[A-Z_][A-Z0-9_]*$/, "must be an upper-case variable name"),
    strictObject({
      default: Template.optional().describe(
        "Used when --value does not give one; without it a value is required."
      ),
      description: string2().optional()
    })
  ).default({}).describe("Build values compiled into the pages, such as VITE_API_BASE_URL.")
}).describe("Pages built once by Node, served by nginx on every platform.");
var DockerfileBuild = strictObject({
  strategy: literal("dockerfile"),
  file: RelativePath.default("Dockerfile"),
  target: string2().min(1).optional(),
  args: record(string2(), Template).default({}).describe("Build arguments; --value NAME=... replaces one."),
  secrets: array(string2().regex(/^[A-Za-z_][\w.-]*$/, "must be a secret's id")).default([]).describe("Ids of secrets its RUN --mount=type=secret lines use; values come from --build-secrets.")
}).describe("The service's own Dockerfile. Its RUN lines for a foreign platform are emulated.");
var Smoke = strictObject({
  http: array(
    strictObject({
      port: Port,
      path: string2().startsWith("/"),
      status: int().min(100).max(599).default(200)
    })
  ).default([]).describe("Requests the started service must answer."),
  exec: array(array(string2()).min(1)).default([]).describe("Commands that must exit 0 in the image."),
  imports: boolean2().default(true).describe("python: whether every top-level module of every locked package is imported."),
  skipImports: array(string2()).default([]).describe(
    "python: top-level modules that cannot be imported on their own, such as plug-ins that need their host."
  ),
  env: record(VariableName, string2()).default({}).describe(
    "Variables a service does not start without, such as DATABASE_URL; of smoke runs only, never in the image."
  ),
  machine: array(string2()).min(1).optional().describe("Command that prints the machine, e.g. aarch64; by default by build strategy."),
  timeoutSeconds: int().min(1).max(3600).default(180).describe("Time for the service to answer, emulated or not.")
}).describe("How a started image proves that it works.");
var Service = strictObject({
  $schema: string2().optional(),
  title: string2().min(1),
  description: string2().optional(),
  source: strictObject({
    repository: url().default("https://github.com/tgoai/tgo").describe("Git repository of the source."),
    path: RelativePath.optional().describe("Folder in it; repos/<service> when absent.")
  }).prefault({}),
  build: discriminatedUnion("strategy", [PythonBuild, StaticWebBuild, DockerfileBuild]),
  image: Image.prefault({}),
  smoke: Smoke.prefault({}),
  allowForeign: array(string2()).default([]).describe("Glob patterns of files that may be for another machine, e.g. firmware.")
}).describe("A service and how its image is built, configured and checked.");

// packages/catalog/src/catalog.ts
var Name = string2().regex(
  /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/,
  "must be lower-case letters, digits and single . _ - between them"
);
var Mirrors = strictObject({
  images: record(string2(), string2().min(1)).default({}).describe(
    'Mirror of a registry base images come from, by host: { "docker.io": "mirror.example.com" }.'
  ),
  pypi: url().optional().describe("Python package index (PEP 503), e.g. https://pypi.example.com/simple."),
  npm: url().optional().describe("npm registry."),
  debian: url().optional().describe(
    "Debian archive, e.g. https://mirrors.example.com/debian; its security archive is expected beside it."
  ),
  debianSecurity: url().optional().describe("Debian security archive, where it is not <debian>-security.")
}).describe("Where build inputs are fetched from instead of their usual places.");
var Catalog = strictObject({
  services: record(Name, Service),
  registries: record(Name, Registry).default(() => Registries.parse(registries)),
  platforms: array(Platform).min(1).default([...PLATFORMS]),
  mirrors: Mirrors.prefault({}),
  release: TagPolicy.prefault({})
});
var Registries = record(Name, Registry);

// packages/catalog/src/mirror.ts
var IMAGE_HOST = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::\d{1,5})?$/;
var IMAGE_PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
var INDEXES = {
  pypi: "pypi",
  npm: "npm",
  debian: "debian",
  "debian-security": "debianSecurity"
};
function withMirrorFlags(mirrors, flags) {
  return flags.reduce((result, text2) => {
    const equals = text2.indexOf("=");
    if (equals < 1) throw notAMirror(text2, "it is not NAME=ADDRESS");
    const name4 = text2.slice(0, equals).trim();
    const address2 = text2.slice(equals + 1).trim();
    const index = Object.entries(INDEXES).find(([known]) => known === name4)?.[1];
    if (index !== void 0) return { ...result, [index]: indexUrl(text2, address2) };
    if (!IMAGE_HOST.test(name4) || !/[.:]|^localhost$/.test(name4)) {
      throw notAMirror(
        text2,
        `"${name4}" is none of ${Object.keys(INDEXES).join(", ")}, nor a registry's host`
      );
    }
    return { ...result, images: { ...result.images, [name4]: imageAddress(text2, address2) } };
  }, mirrors);
}
function indexUrl(text2, address2) {
  if (!/^https?:\/\/[^/\s]/.test(address2) || !URL.canParse(address2)) {
    throw notAMirror(text2, "its address is no http or https URL");
  }
  const { username, password } = new URL(address2);
  if (username === "" && password === "") return address2;
  throw notAMirror(
    text2.slice(0, text2.indexOf("=")),
    "its address has a password in it: credentials go into --netrc or --npmrc"
  );
}
function imageAddress(text2, address2) {
  const [host = "", ...path] = address2.replace(/\/$/, "").split("/");
  if (IMAGE_HOST.test(host) && (path.length === 0 || IMAGE_PATH.test(path.join("/")))) {
    return [host, ...path].join("/");
  }
  throw notAMirror(text2, "its address is not host[:port][/path], without a scheme");
}
function notAMirror(text2, why) {
  return new TgoError("USAGE", `--mirror "${text2}" is not a mirror: ${why}`, {
    remedy: "Write pypi=URL, npm=URL, debian=URL or debian-security=URL, or the host of base images and its mirror: docker.io=mirror.example.com/hub."
  });
}

// packages/catalog/src/override.ts
var CatalogOverride = strictObject({
  $schema: string2().optional(),
  services: record(string2(), Service.partial().nullable()).optional(),
  registries: record(string2(), Registry.partial().nullable()).optional(),
  platforms: array(Platform).min(1).optional(),
  mirrors: Mirrors.partial().optional(),
  release: TagPolicy.partial().optional()
}).describe("Overrides of the TGO catalog (tgo.catalog.json).");
function parseOverrideFile(text2, file) {
  return parseJsonFile(
    text2,
    file,
    'Mend the file, or start from {"$schema": "./node_modules/@tgo/catalog/schema/tgo.catalog.schema.json"}.'
  );
}
function applyOverride(base, override, file = "tgo.catalog.json") {
  if (override !== void 0 && !isObject2(override)) {
    throw new TgoError("CATALOG", "must be a JSON object", {
      where: file,
      remedy: 'Start with {"services": {}}.'
    });
  }
  const merged = override === void 0 ? base : merge2(base, override);
  const parsed = Catalog.safeParse(merged);
  if (parsed.success) return parsed.data;
  throw new TgoError("CATALOG", problems(parsed.error, merged), {
    where: override === void 0 ? "built-in catalog" : file,
    remedy: "Field names and values: packages/catalog/schema/tgo.catalog.schema.json, docs/catalog.md."
  });
}
function merge2(given, override) {
  const base = { registries, ...given };
  const result = { ...base };
  for (const [field, value] of Object.entries(override)) {
    if (field === "$schema") continue;
    const entries2 = field === "services" || field === "registries";
    if (entries2 && isObject2(value)) result[field] = mergeEntries(asObject(base[field]), value);
    else if ((field === "mirrors" || field === "release") && isObject2(value))
      result[field] = { ...asObject(base[field]), ...value };
    else result[field] = value;
  }
  return result;
}
function mergeEntries(base, override) {
  const result = { ...base };
  for (const [name4, value] of Object.entries(override)) {
    if (value === null) Reflect.deleteProperty(result, name4);
    else result[name4] = isObject2(value) ? { ...asObject(base[name4]), ...value } : value;
  }
  return result;
}

// packages/catalog/src/unknown-name.ts
var import_fastest_levenshtein = __toESM(require_mod(), 1);
function unknownName(kind, name4, known) {
  const nearest = known.length === 0 ? void 0 : (0, import_fastest_levenshtein.closest)(name4.toLowerCase(), known);
  const near = nearest !== void 0 && (0, import_fastest_levenshtein.distance)(name4.toLowerCase(), nearest) <= Math.max(2, name4.length / 3);
  return new TgoError("USAGE", `there is no ${kind} "${name4}"${near ? `; did you mean "${nearest}"?` : ""}`, {
    remedy: `Known: ${known.join(", ") || "none"}.`
  });
}

// packages/catalog/src/select.ts
function selectServices(catalog, names) {
  const known = Object.keys(catalog.services);
  if (names.length === 0) {
    throw new TgoError("USAGE", "no service given", {
      remedy: `Use --service with one of: ${known.join(", ")}, or all.`
    });
  }
  const wanted2 = names.includes("all") ? known : [...new Set(names.map((name4) => name4.trim()))];
  return wanted2.map((name4) => {
    const service2 = Object.hasOwn(catalog.services, name4) ? catalog.services[name4] : void 0;
    if (service2 === void 0) throw unknownName("service", name4, known);
    return { name: name4, service: service2 };
  });
}
function selectPlatforms(catalog, given) {
  const wanted2 = given === void 0 || given.length === 0 ? catalog.platforms : given.map(parsePlatform);
  return PLATFORMS.filter((platform2) => wanted2.includes(platform2));
}

// packages/builders/src/exec-failure.ts
function execFailure(error2) {
  if (!(error2 instanceof Error)) return void 0;
  if ("exitCode" in error2 && "stdout" in error2 && "stderr" in error2) return error2;
  return execFailure(error2.cause);
}
function errorMessage(error2) {
  return error2 instanceof Error ? error2.message : String(error2);
}
function lastLines({ stdout, stderr }, count3) {
  return `${stdout}
${stderr}`.split("\n").filter((line) => line.trim() !== "").slice(-count3).map((line) => `  | ${line}`).join("\n");
}

// packages/builders/src/bases/bases.ts
var Bases = class {
  constructor(options) {
    this.options = options;
  }
  options;
  #digests = /* @__PURE__ */ new Map();
  isPinned(reference) {
    return pinned(reference, this.options.pins).includes("@");
  }
  /**
   * The digest that a base stands for in this call: of its index, where it has one.
   * @param platform one that the base has to have, when its tag is not resolved yet
   * @throws TgoError SOURCE
   */
  digest(reference, platform2 = this.options.native) {
    const known = this.#digests.get(reference);
    if (known !== void 0) return known;
    const asked = this.#resolve(reference, platform2);
    this.#digests.set(reference, asked);
    return asked;
  }
  /** Where a base is pulled from: its mirror where there is one, by its digest. */
  async address(reference, platform2) {
    const [name4 = ""] = reference.split("@");
    return mirrored(`${name4}@${await this.digest(reference, platform2)}`, this.options.mirrors);
  }
  /**
   * @throws TgoError SOURCE when the base has no such platform: `from` of an image with one platform returns that
   *   one, whatever was asked for.
   */
  async container(reference, platform2) {
    const base = this.#from(await this.address(reference, platform2), platform2);
    const actual = await base.platform().catch((cause) => {
      throw this.#failure(reference, platform2, cause);
    });
    if (String(actual) !== platform2) throw this.#lacks(reference, platform2, `found ${String(actual)}`);
    return base;
  }
  async #resolve(reference, platform2) {
    const known = pinned(reference, this.options.pins).split("@")[1];
    if (known !== void 0) return known;
    const ref = await this.#from(mirrored(reference, this.options.mirrors), platform2).imageRef().catch((cause) => {
      throw this.#failure(reference, platform2, cause);
    });
    return ref.slice(ref.indexOf("@") + 1);
  }
  #from(address2, platform2) {
    const registryService = this.options.service(address2);
    return this.options.client.container({ platform: platform2 }).from(address2, registryService === void 0 ? {} : { registryService });
  }
  #failure(reference, platform2, cause) {
    const message = errorMessage(cause);
    if (/\bno (?:\S+ variant|match for platform)/.test(message))
      return this.#lacks(reference, platform2, message);
    const { mirrors, pins } = this.options;
    const address2 = mirrored(pinned(reference, pins), mirrors);
    const missing2 = /not.?found|manifest.?unknown|no such digest|\b404\b/i.test(message);
    if (missing2 && this.isPinned(reference)) {
      return new TgoError(
        "SOURCE",
        `base image ${reference} is pinned to a digest that its ${address2.startsWith(`${reference}@`) ? "registry no longer has" : "mirror does not have"}`,
        {
          where: address2,
          remedy: reference.includes("@") ? "Choose another tag or digest in the catalog." : "Pin it anew: npx --no-install tgo lock-bases --output tgo.bases.json.",
          cause
        }
      );
    }
    return new TgoError("SOURCE", `base image ${reference} cannot be pulled for ${platform2}: ${message}`, {
      where: address2,
      remedy: mirrored(reference, mirrors) === reference ? `Check the name and the network. Where the registry is out of reach, set a mirror: --mirror ${reference.slice(0, reference.indexOf("/"))}=mirror.example.com, or mirrors.images in tgo.catalog.json.` : "A mirror (--mirror, or mirrors.images of the catalog) leads there: check that it answers and has this image.",
      cause
    });
  }
  #lacks(reference, platform2, detail) {
    const { mirrors, pins } = this.options;
    return new TgoError("SOURCE", `base image ${reference} has no ${platform2} variant (${detail})`, {
      where: mirrored(pinned(reference, pins), mirrors),
      remedy: "Choose a base with both platforms, or build only its own with --platform."
    });
  }
};

// packages/builders/src/build-context.ts
function baseImage(context, reference, platform2) {
  return context.bases.container(reference, platform2);
}
function withCaBundle(context, container) {
  if (context.caBundle === void 0) return container;
  const path = "/run/tgo/ca-bundle.pem";
  const variables2 = [
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "PIP_CERT",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO"
  ];
  return variables2.reduce(
    (result, name4) => result.withEnvVariable(name4, path),
    container.withMountedFile(path, context.caBundle)
  );
}

// packages/builders/src/build-error.ts
function buildError(step, remedy, error2) {
  if (isTgoError(error2)) return error2;
  const failure3 = execFailure(error2);
  if (failure3 === void 0) {
    return new TgoError("BUILD", `${step} failed: ${errorMessage(error2)}`, { remedy, cause: error2 });
  }
  return new TgoError(
    "BUILD",
    `${step} failed with exit code ${failure3.exitCode}
${lastLines(failure3, 25)}`,
    {
      remedy,
      cause: error2
    }
  );
}

// packages/registry/src/digest.ts
import { createHash } from "node:crypto";
var DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;
function isDigest(text2) {
  return DIGEST.test(text2);
}
function digestOf(bytes) {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
function digestLike(expected, bytes) {
  const digester = digesterFor(expected);
  digester.update(bytes);
  return digester.digest();
}
function digesterFor(expected) {
  const algorithm = expected.startsWith("sha512:") ? "sha512" : "sha256";
  const hash = createHash(algorithm);
  return { update: (chunk) => void hash.update(chunk), digest: () => `${algorithm}:${hash.digest("hex")}` };
}

// packages/registry/src/reference.ts
var HOST2 = /^(?:(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?$/;
var PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
var TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
var MAX_PATH = 255;
function parseReference(text2) {
  const fail2 = (why, remedy) => {
    throw new TgoError("USAGE", `"${text2}" is not an image reference: ${why}`, { remedy });
  };
  if (/^[a-z]+:\/\//.test(text2))
    fail2("it starts with a scheme", `Leave the scheme out: ${text2.replace(/^[a-z]+:\/\//, "")}`);
  const [nameAndTag = "", digest, ...rest] = text2.split("@");
  if (rest.length > 0) fail2("it has more than one digest");
  if (digest !== void 0 && !isDigest(digest))
    fail2(`"${digest}" is not a digest (sha256: and 64 lower-case hex digits)`);
  const [, name4 = "", tag] = /^(.*?)(?::([^/:]*))?$/.exec(nameAndTag) ?? [];
  if (tag !== void 0 && !isTag(tag)) fail2(`"${tag}" is not a tag`, TAG_REMEDY);
  const { host, path } = splitHost(name4);
  if (!HOST2.test(host)) fail2(`"${host}" is not a registry host`);
  const repository = host === "docker.io" && path !== "" && !path.includes("/") ? `library/${path}` : path;
  if (/^[0-9a-f]{64}$/.test(name4)) fail2("64 hex digits are an image id, not a name");
  const problem3 = repositoryProblem(repository);
  if (problem3 !== void 0)
    fail2(problem3, repository.toLowerCase() === repository ? void 0 : `Write ${name4.toLowerCase()}`);
  return {
    host,
    repository,
    ...tag === void 0 ? {} : { tag },
    ...digest === void 0 ? {} : { digest }
  };
}
function formatReference({ host, repository, tag, digest }) {
  return `${host}/${repository}${tag === void 0 ? "" : `:${tag}`}${digest === void 0 ? "" : `@${digest}`}`;
}
function isHost(text2) {
  return HOST2.test(text2);
}
function isTag(text2) {
  return TAG.test(text2);
}
function repositoryProblem(path) {
  if (path === "") return "it has no repository name";
  if (path.length > MAX_PATH) return `the repository name is longer than ${MAX_PATH} characters`;
  if (PATH.test(path)) return void 0;
  return path !== path.toLowerCase() && PATH.test(path.toLowerCase()) ? `repository name (${path}) must be lowercase` : `"${path}" is not a repository name`;
}
function assertNames(host, repository, tagOrDigest) {
  const problem3 = repositoryProblem(repository);
  if (problem3 !== void 0) throw new TgoError("USAGE", problem3, { where: `${host}/${repository}` });
  if (tagOrDigest !== void 0 && !isTag(tagOrDigest) && !isDigest(tagOrDigest)) {
    const kind = tagOrDigest.includes(":") ? "digest" : "tag";
    throw new TgoError("USAGE", `"${tagOrDigest}" is not a ${kind}`, {
      where: `${host}/${repository}`,
      remedy: kind === "tag" ? TAG_REMEDY : "A digest is sha256: and 64 lower-case hex digits."
    });
  }
}
var TAG_REMEDY = "A tag has 1 to 128 letters, digits, '_', '.', '-', and starts with none of '.' and '-'.";
function splitHost(name4) {
  const slash = name4.indexOf("/");
  const first = slash === -1 ? "" : name4.slice(0, slash);
  if (first === "" || !(/[.:A-Z]/.test(first) || first === "localhost"))
    return { host: "docker.io", path: name4 };
  return { host: first === "index.docker.io" ? "docker.io" : first, path: name4.slice(slash + 1) };
}

// packages/registry/src/address.ts
function address(registry2, repository, reference) {
  return formatReference({
    host: registry2.host,
    repository,
    ...isDigest(reference) ? { digest: reference } : { tag: reference }
  });
}

// packages/registry/src/json.ts
function parseJson(text2) {
  try {
    return JSON.parse(text2);
  } catch {
    return void 0;
  }
}
function canonicalJson2(value) {
  return JSON.stringify(value, (_key, inner) => isRecord(inner) ? sorted2(inner) : inner);
}
function isRecord(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
function sorted2(record5) {
  return Object.fromEntries(Object.entries(record5).sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0));
}

// packages/registry/src/auth/docker-config.ts
var Auth = object({
  auth: string2().optional(),
  username: string2().optional(),
  password: string2().optional(),
  identitytoken: string2().optional()
});
var ConfigFile = object({
  auths: record(string2(), Auth.nullable()).nullish(),
  credsStore: string2().nullish(),
  credHelpers: record(string2(), string2()).nullish()
});
var HUB = /* @__PURE__ */ new Set(["docker.io", "index.docker.io", "registry-1.docker.io"]);
var HUB_SERVER = "https://index.docker.io/v1/";
function parseDockerConfig(text2) {
  const json = text2.trim() === "" ? {} : parseJson(text2);
  if (json === void 0) fail("it is not JSON");
  const file = ConfigFile.safeParse(json);
  if (!file.success)
    fail(file.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "));
  const auths = /* @__PURE__ */ new Map();
  const stored = /* @__PURE__ */ new Set();
  for (const [key2, entry] of bestLast(Object.entries(file.data.auths ?? {}))) {
    const host = hostOfKey(key2);
    if (host === void 0) continue;
    const credentials = entry === null ? void 0 : credentialsOf(key2, entry);
    if (credentials === void 0) stored.add(host);
    else auths.set(host, credentials);
  }
  const credHelpers = /* @__PURE__ */ new Map();
  for (const [key2, helper] of bestLast(Object.entries(file.data.credHelpers ?? {}))) {
    const host = hostOfKey(key2);
    if (host !== void 0 && helper !== "") credHelpers.set(host, helper);
  }
  return { auths, stored, credsStore: file.data.credsStore || void 0, credHelpers };
}
function canonicalHost(host) {
  const lower = host.toLowerCase();
  return HUB.has(lower) ? "docker.io" : lower;
}
function hostOfKey(key2) {
  const [, host = "", path = ""] = /^(?:https?:\/\/)?([^/]*)(\/.*)?$/i.exec(key2) ?? [];
  const isWhole = path === "" || /^\/(?:v[12]\/?)?$/.test(path);
  return isWhole && host !== "" ? canonicalHost(host) : void 0;
}
function bestLast(entries2) {
  const rank2 = (key2) => key2 === HUB_SERVER ? 2 : key2.includes("/") ? 0 : 1;
  return [...entries2].sort(([a], [b]) => rank2(a) - rank2(b));
}
function credentialsOf(key2, entry) {
  if (entry.identitytoken) return { identityToken: entry.identitytoken };
  if (entry.username && entry.password) return { username: entry.username, password: entry.password };
  if (!entry.auth) return void 0;
  const decoded = Buffer.from(entry.auth, "base64").toString("utf8").replace(/\0+$/, "");
  const colon = decoded.indexOf(":");
  if (colon < 1) fail(`auths["${key2}"].auth is not the base64 of "user:password"`);
  const password = decoded.slice(colon + 1);
  return password === "" ? void 0 : { username: decoded.slice(0, colon), password };
}
function fail(why) {
  throw new TgoError("USAGE", `the docker config cannot be read: ${why}`, {
    remedy: 'Give the config.json that "docker login" writes (usually ~/.docker/config.json).'
  });
}

// packages/registry/src/auth/keychain.ts
function keychain(config2, { helper } = {}) {
  const asked = /* @__PURE__ */ new Map();
  return (name4) => {
    const host = canonicalHost(name4);
    const answer = asked.get(host) ?? lookUp(config2, host, helper);
    asked.set(host, answer);
    return answer;
  };
}
async function lookUp(config2, host, helper) {
  const inFile = config2.auths.get(host);
  const own2 = config2.credHelpers.get(host);
  const name4 = own2 ?? config2.credsStore;
  if (name4 === void 0) return inFile;
  if (helper !== void 0) return await helper(name4, host) ?? inFile;
  if (inFile !== void 0 || own2 === void 0 && !config2.stored.has(host)) return inFile;
  throw new TgoError(
    "UNAUTHORIZED",
    `the docker config keeps the credentials in the helper "${name4}", which cannot be run here`,
    {
      where: host,
      remedy: `Give a config that holds them: DOCKER_CONFIG=$(mktemp -d) docker login ${host}`
    }
  );
}

// packages/registry/src/blob-stream.ts
function blobStream(options) {
  const chunks = read(options);
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await chunks.return(void 0);
        await options.abandon();
      }
    },
    // Nothing is read ahead of the consumer: memory stays at one chunk.
    { highWaterMark: 0 }
  );
}
async function* read({
  open: open3,
  digest,
  where: where2,
  resumes,
  pause
}) {
  const digester = digest === void 0 ? void 0 : digesterFor(digest);
  let position2 = 0;
  for (let attempt2 = 0; ; attempt2++) {
    try {
      const { chunks, offset } = await open3(position2);
      let skip = position2 - offset;
      for await (const chunk of chunks) {
        const fresh = skip >= chunk.length ? void 0 : chunk.subarray(skip);
        skip = Math.max(0, skip - chunk.length);
        if (fresh === void 0) continue;
        digester?.update(fresh);
        position2 += fresh.length;
        yield fresh;
      }
      break;
    } catch (error2) {
      if (!isTgoError(error2) || error2.code !== "UNAVAILABLE" || attempt2 >= resumes) throw error2;
      await pause(attempt2 + 1);
    }
  }
  const actual = digester?.digest();
  if (actual !== void 0 && actual !== digest) {
    throw new TgoError("INVALID_RESPONSE", `the blob's bytes have the digest ${actual}`, {
      where: where2,
      remedy: "The registry, or a proxy before it, sent other bytes than were asked for. Run the same command again."
    });
  }
}

// packages/registry/src/http/redact.ts
var KNOWN_SHAPES = [
  [/\b(Bearer|Basic)\s+[A-Za-z0-9+/=._~-]{6,}/gi, "$1 ***"],
  [/\bdckr_[a-z]+_[\w-]+/g, "***"],
  [/\b(?:gh[pousr]_|github_pat_|glpat-)[\w-]+/g, "***"],
  [/\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?/g, "***"],
  [
    /\b((?:X-Amz-|OSS)?(?:Signature|Credential|Security-Token|AccessKeyId)|sig|token|access_token|refresh_token)=[^&\s"']+/gi,
    "$1=***"
  ],
  // Docker Hub's rate limit answer names the account: "… as 'someone': dckr_jti_…".
  [/\bas '[^']*'/g, "as '***'"]
];
var SHORTEST_SECRET = 4;
var Redactor = class {
  #secrets = /* @__PURE__ */ new Set();
  add(secret) {
    for (const spelling of [secret, encodeURIComponent(secret), Buffer.from(secret).toString("base64")]) {
      if (spelling.length >= SHORTEST_SECRET) this.#secrets.add(spelling);
    }
  }
  clean(text2) {
    const known = [...this.#secrets].sort((a, b) => b.length - a.length);
    const ours = known.reduce((rest, secret) => rest.replaceAll(secret, "***"), text2);
    return KNOWN_SHAPES.reduce((rest, [shape, mask]) => rest.replace(shape, mask), ours);
  }
};

// packages/registry/src/failures/network-failure.ts
var NetworkFailure = class {
  constructor(error2, patience) {
    this.error = error2;
    this.patience = patience;
  }
  error;
  patience;
};
function networkFailure(thrown, o) {
  const advice = ADVICE.find(({ codes }) => codes.test(thrown.code));
  return new NetworkFailure(
    // No `cause`: what the network stack throws may quote a header, and with it a credential.
    new TgoError("UNAVAILABLE", `cannot reach ${o.server}: ${thrown.text}`, {
      where: o.where,
      remedy: advice?.remedy ?? "Check the network and run the same command again; it continues where it stopped."
    }),
    { tries: tries(thrown.code, o.hostname), reason: thrown.text }
  );
}
function connectionLost(error2) {
  return new NetworkFailure(error2, { tries: 5, reason: error2.what });
}
function sourceFailure(cause) {
  const error2 = cause instanceof TgoError ? cause : new TgoError("INTERNAL", "what was to be sent cannot be read", { cause });
  const passing = error2.code === "UNAVAILABLE";
  return new NetworkFailure(error2, passing ? { tries: 5, reason: error2.what } : void 0);
}
var CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|ALTNAME/;
var ADVICE = [
  { codes: /^ECONNREFUSED$/, remedy: "Nothing listens there. Start the registry, or correct its address." },
  {
    codes: /^(?:ENOTFOUND|EAI_AGAIN)$/,
    remedy: "Check the host's spelling, and that this machine can resolve names."
  },
  { codes: /^BAD_PORT$/, remedy: "Let the registry listen on another port, such as 5000." },
  { codes: CERTIFICATE, remedy: "Set NODE_EXTRA_CA_CERTS to the registry's CA certificate." },
  {
    codes: /SSL|EPROTO/,
    remedy: "The server does not speak TLS there. Give its address with http:// if it is a plain registry."
  }
];
function tries(code3, hostname) {
  if (code3 === "BAD_PORT" || CERTIFICATE.test(code3) || /SSL|EPROTO/.test(code3)) return 1;
  if (code3 === "ENOTFOUND") return 2;
  if (code3 === "TIMEOUT" || code3 === "UND_ERR_CONNECT_TIMEOUT" || code3 === "ETIMEDOUT") return 3;
  if (code3 === "ECONNREFUSED" && isLoopback(hostname)) return 2;
  return 5;
}
function isLoopback(hostname) {
  return hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
var WORDS = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EPIPE: "connection closed",
  UND_ERR_SOCKET: "connection closed",
  ENOTFOUND: "no such host",
  EAI_AGAIN: "the name server does not answer",
  ETIMEDOUT: "timed out",
  UND_ERR_CONNECT_TIMEOUT: "timed out",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "no network",
  EPROTO: "the TLS handshake failed",
  ERR_SSL_WRONG_VERSION_NUMBER: "the TLS handshake failed"
};
function describe3(thrown) {
  let text2 = "no answer";
  for (let cause = thrown, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    text2 = cause.message.trim().split("\n", 1)[0] || text2;
    if ("code" in cause && typeof cause.code === "string")
      return { code: cause.code, text: WORDS[cause.code] ?? text2 };
  }
  return text2 === "bad port" ? { code: "BAD_PORT", text: "fetch does not connect to this port" } : { code: "", text: text2 };
}

// packages/registry/src/auth/challenge.ts
var TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
var TOKEN68 = /[A-Za-z0-9\-._~+/]+=*(?=\s*(?:,|$))/y;
var QUOTED = /"((?:[^"\\]|\\.)*)"/y;
var BLANK = /[ \t]*/y;
var EQUALS = /[ \t]*=[ \t]*/y;
var COMMAS = /(?:[ \t]*,)*[ \t]*/y;
function parseChallenges(header) {
  const challenges = [];
  let at = 0;
  const take = (pattern) => {
    pattern.lastIndex = at;
    const match = pattern.exec(header) ?? void 0;
    if (match !== void 0) at = pattern.lastIndex;
    return match;
  };
  for (take(COMMAS); at < header.length; take(COMMAS)) {
    const word = take(TOKEN)?.[0];
    if (word === void 0) break;
    const current = challenges.at(-1);
    if (current !== void 0 && take(EQUALS) !== void 0) {
      const value = take(QUOTED)?.[1]?.replace(/\\(.)/g, "$1") ?? take(/[^,\s]*/y)?.[0] ?? "";
      current.parameters[word.toLowerCase()] = value;
      continue;
    }
    challenges.push({ scheme: word.toLowerCase(), parameters: {} });
    take(BLANK);
    take(TOKEN68);
  }
  return challenges;
}

// packages/registry/src/auth/credentials.ts
function basic(username, password) {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

// packages/registry/src/auth/scope.ts
function pullScope(repository) {
  return `repository:${repository}:pull`;
}
function pushScope(repository) {
  return `repository:${repository}:pull,push`;
}
function deleteScope(repository) {
  return `repository:${repository}:delete,pull`;
}
function scopeFor(repository, { push = false }) {
  return push ? pushScope(repository) : pullScope(repository);
}
function repositoryOf(scope) {
  return parse3(scope).name;
}
function keyOf(scopes) {
  return [...scopes].sort().join(" ");
}
function grants(key2, scopes) {
  const held = key2.split(" ").map(parse3);
  return scopes.map(parse3).every(
    ({ name: name4, actions }) => held.some((other) => other.name === name4 && actions.every((action) => other.actions.includes(action)))
  );
}
function widen(scopes, challenged) {
  const asked = (challenged ?? "").split(" ").filter(Boolean).map(parse3);
  return scopes.map((scope) => {
    const { name: name4, actions } = parse3(scope);
    const more = asked.filter((other) => other.name === name4).flatMap((other) => other.actions);
    return `repository:${name4}:${[.../* @__PURE__ */ new Set([...actions, ...more])].join(",")}`;
  });
}
function parse3(scope) {
  const [, name4 = "", actions = ""] = /^[a-z]+(?:\([a-z]+\))?:(.*):([^:]*)$/.exec(scope) ?? [];
  return { name: name4, actions: actions.split(",") };
}

// packages/registry/src/auth/token.ts
var TokenAnswer = object({
  token: string2().optional(),
  access_token: string2().optional(),
  expires_in: coerce_exports.number().optional().catch(void 0)
});
var SHORTEST_LIFE_S = 60;
var MAX_TOKEN_BYTES = 256 * 1024;
var Authorizer = class {
  #o;
  #challenge;
  #held = /* @__PURE__ */ new Map();
  #underWay = /* @__PURE__ */ new Map();
  /** Scopes that the registry asked for beyond ours. */
  #learned = /* @__PURE__ */ new Map();
  constructor(options) {
    this.#o = options;
  }
  /** The value of `Authorization` for a request that needs these scopes, or undefined. */
  async header(scopes) {
    if (this.#challenge === void 0) return void 0;
    if (this.#challenge.scheme === "basic") return this.#basic();
    return `Bearer ${await this.#token(this.#challenge, this.#learned.get(keyOf(scopes)) ?? scopes)}`;
  }
  /**
   * What to send instead, after the registry refused a request that carried `sent`.
   * Undefined when there is nothing better, and the refusal stands.
   */
  async renew(answer, scopes, sent3) {
    const challenge = choose(parseChallenges(answer.headers.get("www-authenticate") ?? "")) ?? this.#challenge;
    if (challenge === void 0) return void 0;
    this.#challenge = challenge;
    if (challenge.scheme === "basic") {
      const header = this.#basic();
      return header === sent3 ? void 0 : header;
    }
    const wanted2 = widen(scopes, challenge.parameters["scope"]);
    if (keyOf(wanted2) !== keyOf(scopes)) this.#learned.set(keyOf(scopes), wanted2);
    for (const [key2, held] of this.#held) if (`Bearer ${held.token}` === sent3) this.#held.delete(key2);
    return `Bearer ${await this.#token(challenge, wanted2)}`;
  }
  #basic() {
    const { credentials } = this.#o;
    if (credentials === void 0 || "identityToken" in credentials) return void 0;
    return basic(credentials.username, credentials.password);
  }
  async #token(challenge, scopes) {
    const key2 = keyOf(scopes);
    const held = this.#held.get(key2) ?? this.#wider(scopes);
    if (held !== void 0 && held.renewAt > this.#o.now()) return held.token;
    const underWay = this.#underWay.get(key2);
    if (underWay !== void 0) return underWay;
    const fetching2 = this.#fetch(challenge, scopes).then((fresh) => {
      this.#held.set(key2, fresh);
      return fresh.token;
    }).finally(() => this.#underWay.delete(key2));
    this.#underWay.set(key2, fetching2);
    return fetching2;
  }
  /** A token that allows all this and more: who may push to a repository may read it. */
  #wider(scopes) {
    if (scopes.length === 0) return void 0;
    for (const [key2, held] of this.#held) {
      if (grants(key2, scopes) && held.renewAt > this.#o.now()) return held;
    }
    return void 0;
  }
  async #fetch(challenge, scopes) {
    const { transport, host, redactor, now } = this.#o;
    const call = this.#call(challenge, scopes);
    const asked = now();
    const answer = await transport.send(call);
    if (!answer.ok) throw await transport.refusal(answer);
    const text2 = new TextDecoder().decode(await answer.bytes(MAX_TOKEN_BYTES));
    const body = TokenAnswer.safeParse(parseJson(text2));
    const token = body.data?.token ?? body.data?.access_token;
    if (body.data === void 0 || token === void 0 || !/^[\x21-\x7e]+$/.test(token)) {
      throw new TgoError("INVALID_RESPONSE", `the login server of ${host} sent no token`, {
        where: call.where,
        remedy: `Check ${call.url.origin}${call.url.pathname}: it should answer JSON with a "token".`
      });
    }
    redactor.add(token);
    const lifeMs = Math.max(body.data.expires_in ?? SHORTEST_LIFE_S, SHORTEST_LIFE_S) * 1e3;
    return { token, renewAt: asked + lifeMs - Math.min(3e4, lifeMs / 4) };
  }
  #call(challenge, scopes) {
    const { host, credentials } = this.#o;
    const where2 = scopes.length === 0 ? host : scopes.map((scope) => `${host}/${repositoryOf(scope)}`).join(", ");
    const realm = this.#realm(challenge, where2);
    const common = { where: where2, doing: "log in", stage: "token", whole: MAX_TOKEN_BYTES };
    const service2 = challenge.parameters["service"];
    if (credentials !== void 0 && "identityToken" in credentials) {
      const form = new URLSearchParams({
        grant_type: "refresh_token",
        client_id: "tgo",
        ...service2 === void 0 ? {} : { service: service2 }
      });
      if (scopes.length > 0) form.set("scope", scopes.join(" "));
      form.set("refresh_token", credentials.identityToken);
      const bytes = new TextEncoder().encode(form.toString());
      return {
        ...common,
        method: "POST",
        url: realm,
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: { size: bytes.length, open: () => bytes }
      };
    }
    if (service2 !== void 0) realm.searchParams.set("service", service2);
    for (const scope of scopes) realm.searchParams.append("scope", scope);
    const authorization = this.#basic();
    return {
      ...common,
      method: "GET",
      url: realm,
      ...authorization === void 0 ? {} : { headers: { authorization } }
    };
  }
  #realm(challenge, where2) {
    const text2 = challenge.parameters["realm"] ?? "";
    const url2 = URL.canParse(text2, this.#o.origin.href) ? this.#o.reach(new URL(text2, this.#o.origin)) : void 0;
    if (url2 === void 0 || !/^https?:$/.test(url2.protocol)) {
      throw new TgoError("INVALID_RESPONSE", `the registry names no usable login server (realm "${text2}")`, {
        where: where2
      });
    }
    if (url2.protocol === "http:" && this.#o.origin.protocol === "https:") {
      throw new TgoError(
        "INVALID_RESPONSE",
        `the registry wants the login at ${url2.origin}, which is not encrypted`,
        {
          where: where2,
          remedy: "Credentials are not sent there. Correct the registry's token realm to https."
        }
      );
    }
    return url2;
  }
};
function choose(challenges) {
  return challenges.find(({ scheme, parameters }) => scheme === "bearer" && parameters["realm"] !== void 0) ?? challenges.find(({ scheme }) => scheme === "basic");
}

// packages/registry/src/http/transport.ts
import { setTimeout as delay } from "node:timers/promises";

// packages/registry/src/media-types.ts
var OCI_INDEX = "application/vnd.oci.image.index.v1+json";
var OCI_EMPTY = "application/vnd.oci.empty.v1+json";
var OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
var OCI_CONFIG = "application/vnd.oci.image.config.v1+json";
var OCI_LAYER = "application/vnd.oci.image.layer.v1.tar";
var OCI_LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip";
var OCI_LAYER_ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd";
var OCI_FOREIGN_LAYER_GZIP = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
var DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json";
var DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";
var DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json";
var DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar";
var DOCKER_LAYER_GZIP = "application/vnd.docker.image.rootfs.diff.tar.gzip";
var DOCKER_LAYER_ZSTD = "application/vnd.docker.image.rootfs.diff.tar.zstd";
var DOCKER_FOREIGN_LAYER_GZIP = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
var ACCEPT_MANIFESTS = [OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST].join(", ");
var MAX_MANIFEST_BYTES = 8 * 1024 * 1024;
var ATTESTATION_ANNOTATION = "vnd.docker.reference.type";

// packages/registry/src/documents.ts
var Annotations = record(string2(), string2());
var DescriptorPlatform = object({
  os: string2(),
  architecture: string2(),
  variant: string2().optional()
});
var Descriptor = object({
  mediaType: string2(),
  digest: string2().refine(isDigest, "not a sha256 or sha512 digest"),
  /** Bytes. */
  size: int().nonnegative(),
  urls: array(string2()).optional(),
  annotations: Annotations.optional(),
  platform: DescriptorPlatform.optional(),
  artifactType: string2().optional()
});
var Index = object({
  schemaVersion: literal(2),
  mediaType: _enum([OCI_INDEX, DOCKER_LIST]),
  manifests: array(Descriptor),
  annotations: Annotations.optional()
});
var Manifest = object({
  schemaVersion: literal(2),
  mediaType: _enum([OCI_MANIFEST, DOCKER_MANIFEST]),
  config: Descriptor,
  layers: array(Descriptor),
  annotations: Annotations.optional(),
  artifactType: string2().optional()
});
var ImageConfig = looseObject({
  os: string2(),
  architecture: string2(),
  variant: string2().optional(),
  created: string2().optional(),
  config: looseObject({ Labels: record(string2(), string2()).nullish() }).nullish(),
  rootfs: looseObject({ type: literal("layers"), diff_ids: array(string2()) }),
  history: array(looseObject({ created: string2().optional(), empty_layer: boolean2().optional() })).nullish()
});
var Document = looseObject({ mediaType: string2().optional() }).transform((body, context) => {
  const isIndex2 = "manifests" in body;
  const isManifest = "config" in body || "layers" in body;
  if (isIndex2 && isManifest) {
    context.addIssue({ code: "custom", message: "it is an index and a manifest at once" });
    return NEVER;
  }
  if (body.mediaType !== void 0 && body.mediaType !== "") return body;
  return { ...body, mediaType: isIndex2 ? OCI_INDEX : inferManifest(body) };
}).pipe(discriminatedUnion("mediaType", [Index, Manifest]));
function isIndex(value) {
  return value.mediaType === OCI_INDEX || value.mediaType === DOCKER_LIST;
}
function parseDocument(bytes, where2) {
  const json = jsonOf(bytes, where2, "a manifest");
  if (object({ schemaVersion: literal(1) }).safeParse(json).success) {
    throw new TgoError(
      "INVALID_RESPONSE",
      "the image uses Docker's manifest schema 1, which no registry takes any more",
      {
        where: where2,
        remedy: "Push the image again with a current tool."
      }
    );
  }
  return check(Document, json, where2, "a manifest");
}
function parseConfig(bytes, where2) {
  return check(ImageConfig, jsonOf(bytes, where2, "an image config"), where2, "an image config");
}
function inferManifest(body) {
  const config2 = object({ config: object({ mediaType: string2() }) }).safeParse(body);
  return config2.success && config2.data.config.mediaType === DOCKER_CONFIG ? DOCKER_MANIFEST : OCI_MANIFEST;
}
function jsonOf(bytes, where2, what) {
  const text2 = new TextDecoder().decode(bytes);
  const json = parseJson(text2);
  if (json === void 0) {
    throw new TgoError("INVALID_RESPONSE", `expected ${what}, got ${firstBytes(text2)}`, {
      where: where2,
      remedy: "Check that this address is a container registry, and that no proxy or login page answers for it."
    });
  }
  return json;
}
function check(schema, json, where2, what) {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const issues = result.error.issues.map((issue2) => `${issue2.path.join(".") || "(top)"}: ${issue2.message}`);
  throw new TgoError(
    "INVALID_RESPONSE",
    `not ${what} this program can read: ${issues.slice(0, 3).join("; ")}`,
    { where: where2 }
  );
}
function firstBytes(text2) {
  const start = text2.slice(0, 200).replace(/\s+/g, " ").trim();
  if (start === "") return "an empty body";
  return /^<(?:!doctype|html|\?xml)/i.test(start) ? `an HTML page (${start})` : `"${start}"`;
}

// packages/registry/src/failures/registry-failure.ts
function isHtml(fault) {
  return fault.contentType.includes("html") || /^\s*<(?:!doctype|html)/i.test(fault.text);
}
var ErrorBody = object({
  errors: array(object({ code: string2().optional(), message: string2().optional() }))
});
var TokenErrorBody = object({
  details: string2().optional(),
  message: string2().optional(),
  error_description: string2().optional(),
  error: string2().optional()
});
function registryMessage(fault) {
  const json = parseJson(fault.text);
  const body = ErrorBody.safeParse(json);
  if (body.success && body.data.errors.length > 0) {
    const words = body.data.errors.map(({ code: code3, message }) => [code3, message].filter(Boolean).join(" "));
    return [...new Set(words)].slice(0, 3).join("; ");
  }
  const token = TokenErrorBody.safeParse(json);
  if (token.success) {
    const words = token.data.details ?? token.data.message ?? token.data.error_description ?? token.data.error;
    if (words !== void 0) return words;
  }
  return fault.text === "" ? `an empty answer (${fault.status})` : firstBytes(fault.text);
}
function retryAfterMs(retryAfter) {
  if (retryAfter === void 0) return void 0;
  if (/^\d+$/.test(retryAfter.trim())) return Number(retryAfter) * 1e3;
  const date4 = Date.parse(retryAfter);
  return Number.isNaN(date4) ? void 0 : Math.max(0, date4 - Date.now());
}
var GO_UNITS = {
  ns: 1e-6,
  us: 1e-3,
  \u00B5s: 1e-3,
  \u03BCs: 1e-3,
  ms: 1,
  s: 1e3,
  m: 6e4,
  h: 36e5
};
function goDuration(text2) {
  if (text2 === void 0) return void 0;
  const parts = [...text2.matchAll(/([\d.]+)(ns|us|µs|μs|ms|s|m|h)/g)];
  if (parts.length === 0) return void 0;
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (GO_UNITS[unit ?? ""] ?? 0), 0);
}

// packages/registry/src/failures/failure-rules.ts
var GHCR = /^(?:ghcr\.io|containers\..+\.ghe\.com)$/;
var HUB2 = /^(?:docker\.io|(?:index|registry-1)\.docker\.io)$/;
var ACR = /\.aliyuncs\.com$/;
var USUAL_TRIES = 5;
var PASSING = /* @__PURE__ */ new Set([408, 425, 429, 500, 502, 503, 504, 522]);
var says = (pattern, status) => (fault) => pattern.test(fault.text) && (status === void 0 || fault.status === status);
var login = (fault) => fault.identity === "anonymous" ? `No credentials for ${fault.host} were given. Run "docker login ${fault.host}" and pass that docker config (--docker-config).` : `Check the user and password for ${fault.host}: "docker login ${fault.host}" must accept them.`;
var CONTINUES = "it continues where it stopped";
function later({ retryAfter }) {
  const minutes = Math.ceil((retryAfterMs(retryAfter) ?? 0) / 6e4);
  return minutes > 1 ? `The registry asks to wait ${minutes} min: run the same command again after that` : void 0;
}
var FAILURE_RULES = [
  {
    name: "acr-unknown-manifest-class",
    matches: says(/unknown manifest class for/i),
    code: "DENIED",
    what: (fault) => `the registry refuses this kind of artifact: ${registryMessage(fault)}`,
    remedy: () => "Push the image without provenance and SBOM manifests (provenance: false, sbom: false)."
  },
  {
    name: "ghcr-write-package",
    matches: says(/permission_denied: write_package/i),
    code: "DENIED",
    what: () => "GHCR: this repository's token may not write the package",
    remedy: () => `On GitHub: the package's settings, "Manage Actions access", give this repository the role Write.`
  },
  {
    name: "ghcr-organization-package",
    matches: says(/installation not allowed to (?:create|write) organization package/i),
    code: "DENIED",
    what: () => "GHCR: this token may not create or write a package of the organization",
    remedy: () => `Add "permissions: packages: write" to the job; check the owner in the image name and the organization's package creation policy.`
  },
  {
    name: "ghcr-read-package",
    matches: says(/permission_denied: read_package/i),
    code: "DENIED",
    what: () => "GHCR: the package is private, or this token may not read it",
    remedy: () => "Use a token with the scope read:packages, or make the package public."
  },
  {
    name: "ghcr-token-provided",
    matches: says(/cannot be authenticated with the token provided/i),
    code: "UNAUTHORIZED",
    what: () => "GHCR does not accept this token: it is expired, or a fine-grained one",
    remedy: () => "Use a classic personal access token (write:packages) or the job's GITHUB_TOKEN."
  },
  {
    name: "ghcr-secondary-rate-limit",
    matches: says(/secondary rate limit/i),
    code: "UNAVAILABLE",
    what: () => "GitHub throttles this account (secondary rate limit)",
    remedy: () => "Wait a few minutes and run the same command again; it continues where it stopped.",
    patience: () => ({ tries: 3, waits: [12e4, 3e5], reason: "GitHub's secondary rate limit" })
  },
  {
    name: "hub-pull-rate-limit",
    matches: says(/reached your (?:unauthenticated )?pull rate limit/i),
    code: "UNAVAILABLE",
    what: () => "Docker Hub: the pull rate limit of this address or account is used up",
    remedy: (fault) => fault.identity === "anonymous" ? 'Log in ("docker login") for a higher limit, or wait: the limit counts six hours.' : "Wait: the limit counts six hours. A paid account has none."
  },
  {
    name: "hub-abuse-limit",
    matches: says(/HAP429/),
    code: "UNAVAILABLE",
    what: () => "Docker Hub limits the requests of this address (abuse limit)",
    remedy: () => "Wait a minute and run the same command again.",
    patience: (fault) => ({
      tries: USUAL_TRIES,
      waits: [retryAfterMs(fault.retryAfter) ?? 6e4],
      reason: "Docker Hub's abuse limit"
    })
  },
  {
    name: "too-many-requests",
    matches: (fault) => fault.status === 429 || says(/toomanyrequests/i)(fault),
    code: "UNAVAILABLE",
    what: (fault) => `too many requests: ${registryMessage(fault)}`,
    remedy: (fault) => `${later(fault) ?? "Wait a minute and run the same command again"}; ${CONTINUES}.`,
    patience: (fault) => {
      const asked = retryAfterMs(fault.retryAfter) ?? goDuration(/retry-after:\s*([\d.a-zµμ]+)/i.exec(fault.text)?.[1]);
      return { tries: USUAL_TRIES, waits: [Math.max(asked ?? 0, 1e3)], reason: "the registry's rate limit" };
    }
  },
  {
    name: "immutable-tag",
    matches: (fault) => says(/tag already exists and cannot be overwritten|immutable tag|tag (?:\S+ )?is immutable/i)(fault) || fault.method === "PUT" && HUB2.test(fault.host) && fault.status === 403 && /immutab/i.test(fault.text),
    code: "DENIED",
    what: () => "the tag exists with another digest, and the registry does not let it be overwritten",
    remedy: () => "Publish under a new tag."
  },
  {
    name: "delete-unsupported",
    matches: (fault) => fault.method === "DELETE" && (fault.status === 405 || says(/unsupported/i)(fault)),
    code: "DENIED",
    what: () => "the registry cannot delete manifests over this API",
    remedy: (fault) => GHCR.test(fault.host) ? "Delete the version with GitHub's packages REST API (DELETE /orgs/<org>/packages/container/<name>/versions/<id>)." : HUB2.test(fault.host) ? "Delete the tag on hub.docker.com." : "Delete it in the registry's own console, or enable deletion there (distribution: storage.delete.enabled)."
  },
  {
    name: "accept-too-narrow",
    matches: says(/accept header does not support oci/i),
    code: "INTERNAL",
    what: () => "the registry says we did not accept OCI media types",
    remedy: () => "This is a fault of this program, or of a proxy that drops the Accept header."
  },
  {
    name: "authorization-at-the-blob-store",
    matches: says(/missing x-amz-content-sha256|only one auth mechanism allowed/i),
    code: "INTERNAL",
    what: () => "the registry's blob store was sent the registry's credentials and refused",
    remedy: () => "This is a fault of this program, or of a proxy that follows redirects for it."
  },
  {
    name: "manifest-blob-unknown",
    matches: says(/manifest blob unknown|MANIFEST_BLOB_UNKNOWN/i),
    code: "NOT_FOUND",
    what: (fault) => `the manifest names content that the repository does not hold: ${registryMessage(fault)}`,
    remedy: () => "Run the same command again: it uploads what is missing."
  },
  {
    name: "blob-upload-unknown",
    matches: says(/BLOB_UPLOAD_UNKNOWN|blob upload unknown/i),
    code: "UNAVAILABLE",
    what: () => "the registry lost the upload session",
    remedy: () => "Run the same command again; it continues where it stopped."
  },
  {
    name: "blob-unknown",
    matches: says(/unknown blob|BLOB_UNKNOWN/i),
    code: "NOT_FOUND",
    what: (fault) => `the registry does not know a blob: ${registryMessage(fault)}`,
    remedy: () => "Run the same command again: it uploads what is missing."
  },
  {
    name: "upload-too-large",
    matches: (fault) => fault.status === 413 || says(/exceeds the maximum permissible limit|request body is too large/i)(fault),
    code: "DENIED",
    what: (fault) => `the registry, or a proxy before it, refuses an upload of this size: ${registryMessage(fault)}`,
    remedy: () => "Raise the limit of the proxy (nginx: client_max_body_size 0)."
  },
  {
    name: "digest-invalid",
    matches: says(/DIGEST_INVALID|provided digest did not match/i),
    code: "INVALID_RESPONSE",
    what: () => "the registry received other bytes than were sent: the digest differs",
    remedy: () => "Run the same command again. If it stays, a proxy changes what passes through it."
  },
  {
    name: "manifest-unknown",
    matches: (fault) => fault.status === 404 && says(/MANIFEST_UNKNOWN|manifest unknown/i)(fault),
    code: "NOT_FOUND",
    what: () => "there is no such tag or digest"
  },
  {
    name: "acr-no-repository",
    matches: (fault) => ACR.test(fault.host) && (says(/NAME_UNKNOWN/)(fault) || fault.identity === "credentials" && says(/requested access to the resource is denied/i)(fault)),
    code: "NOT_FOUND",
    what: () => "the namespace or the repository does not exist, or this account has no access",
    remedy: () => "Create the namespace and the repository in the ACR console, and check the instance's host (new personal instances: crpi-<id>.<region>.personal.cr.aliyuncs.com)."
  },
  {
    name: "name-unknown",
    matches: says(/NAME_UNKNOWN/),
    code: "NOT_FOUND",
    what: () => "the registry does not know this repository"
  },
  {
    name: "acr-login",
    matches: (fault) => ACR.test(fault.host) && fault.status === 401,
    code: "UNAUTHORIZED",
    what: () => "ACR does not accept this login",
    remedy: (fault) => fault.identity === "anonymous" ? login(fault) : "Use the registry password set in the ACR console (not the console login), or a fresh temporary token (valid one hour)."
  },
  {
    name: "wrong-password",
    matches: (fault) => fault.identity === "credentials" && says(/incorrect username or password|invalid username\/password|bad username or password/i)(fault),
    code: "UNAUTHORIZED",
    what: () => "wrong user name or password",
    remedy: login
  },
  {
    name: "denied-or-missing",
    matches: (fault) => (fault.status === 401 || fault.status === 403) && (fault.stage === "token" || says(/requested access to the resource is denied|insufficient_scope|"Action"/i)(fault)) && fault.scheme !== "basic" && fault.where.includes("/"),
    code: "DENIED",
    what: (fault) => fault.identity === "anonymous" ? "not found, or not readable without credentials (the registry does not say which)" : "not found, or these credentials have no access (the registry does not say which)",
    remedy: login
  },
  {
    name: "unauthorized",
    matches: (fault) => fault.status === 401,
    code: "UNAUTHORIZED",
    what: (fault) => fault.identity === "anonymous" ? "the registry asks for credentials" : "the registry does not accept these credentials",
    remedy: login
  },
  {
    name: "denied",
    matches: (fault) => fault.status === 403 && !isHtml(fault),
    code: "DENIED",
    what: (fault) => `the registry refuses to ${fault.doing}: ${registryMessage(fault)}`,
    remedy: login
  },
  {
    name: "passing",
    matches: (fault) => PASSING.has(fault.status),
    code: "UNAVAILABLE",
    what: (fault) => `the registry cannot ${fault.doing} now (status ${fault.status}): ${registryMessage(fault)}`,
    remedy: (fault) => `${later(fault) ?? "Run the same command again later"}; ${CONTINUES}.`,
    patience: (fault) => {
      const asked = retryAfterMs(fault.retryAfter);
      return {
        tries: USUAL_TRIES,
        ...asked === void 0 ? {} : { waits: [asked] },
        reason: `status ${fault.status}`
      };
    }
  },
  {
    name: "html",
    matches: isHtml,
    code: "INVALID_RESPONSE",
    what: (fault) => `this is no container registry, or its front end is down: status ${fault.status} and ${registryMessage(fault)}`,
    remedy: () => "Check the registry's host and port; a web server, proxy or login page may be answering in its place.",
    // During outages Docker Hub's front end was seen to answer an HTML 404 or 405.
    patience: (fault) => fault.status === 404 || fault.status === 405 ? { tries: 2, reason: "an HTML page" } : void 0
  },
  {
    name: "not-found",
    matches: (fault) => fault.status === 404,
    code: "NOT_FOUND",
    what: (fault) => `not found: ${registryMessage(fault)}`
  },
  {
    name: "anything-else",
    matches: () => true,
    code: "INVALID_RESPONSE",
    what: (fault) => `the registry's answer to "${fault.doing}" is not understood: status ${fault.status}, ${registryMessage(fault)}`,
    remedy: () => "Check that this address is a container registry."
  }
];

// packages/registry/src/failures/response-failure.ts
function failureError(fault) {
  const row = rowFor(fault);
  const prefix = fault.stage === "token" ? "at the login: " : "";
  return new TgoError(row.code, prefix + row.what(fault), {
    where: fault.where,
    remedy: row.remedy?.(fault)
  });
}
function retryLimits(fault) {
  return rowFor(fault).patience?.(fault);
}
function rowFor(fault) {
  return FAILURE_RULES.find((row) => row.matches(fault)) ?? unreachable();
}
function unreachable() {
  throw new TgoError("INTERNAL", "the table of registry answers has no last row");
}

// packages/registry/src/http/response.ts
var MAX_TEXT = 64 * 1024;
var RegistryResponse = class {
  constructor(call, response, watch, finished, faultOf) {
    this.call = call;
    this.#response = response;
    this.#watch = watch;
    this.#finished = finished;
    this.#faultOf = faultOf;
    if (response.body === null) finished();
    else watch.touch();
  }
  call;
  #response;
  #watch;
  #finished;
  #faultOf;
  #text;
  #bytes;
  get status() {
    return this.#response.status;
  }
  get headers() {
    return this.#response.headers;
  }
  get ok() {
    return this.#response.ok;
  }
  /** The body's beginning; kept, so that it can be asked for again. */
  async text() {
    if (this.#text === void 0) {
      try {
        this.#text = new TextDecoder().decode(await this.#read(MAX_TEXT, true));
      } catch (cause) {
        if (cause instanceof TgoError && cause.code === "INTERRUPTED") throw cause;
        this.#text = "";
      }
    }
    return this.#text;
  }
  /** The body; kept. @throws TgoError INVALID_RESPONSE when it is longer than `limit` bytes. */
  async bytes(limit) {
    this.#bytes ??= await this.#read(limit, false);
    return this.#bytes;
  }
  async discard() {
    if (this.#text === void 0) {
      this.#text = "";
      await this.#response.body?.cancel().catch(() => void 0);
    }
    this.#finished();
  }
  /** The body as it comes. @throws (while reading) TgoError UNAVAILABLE when the connection breaks. */
  async *chunks() {
    const reader = this.#response.body?.getReader();
    if (reader === void 0) return;
    let ended = false;
    try {
      for (; ; ) {
        this.#watch.touch();
        const { done, value } = await reader.read();
        if (done) break;
        this.#watch.stop();
        yield value;
      }
      ended = true;
    } catch (cause) {
      throw this.#faultOf(cause);
    } finally {
      if (!ended) await reader.cancel().catch(() => void 0);
      this.#finished();
    }
  }
  async #read(limit, cut) {
    const chunks = [];
    let size2 = 0;
    for await (const chunk of this.chunks()) {
      chunks.push(chunk);
      size2 += chunk.length;
      if (size2 > limit) {
        if (cut) break;
        throw new TgoError("INVALID_RESPONSE", `the answer is longer than ${limit} bytes`, {
          where: this.call.where
        });
      }
    }
    return Buffer.concat(chunks);
  }
};

// packages/registry/src/http/concurrency-limit.ts
var ConcurrencyLimit = class {
  #free;
  #waiting = [];
  constructor(limit) {
    this.#free = limit;
  }
  async enter() {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise((resolve) => this.#waiting.push(resolve));
  }
  leave() {
    const next2 = this.#waiting.shift();
    if (next2 === void 0) this.#free += 1;
    else next2();
  }
};

// packages/registry/src/http/upload-body.ts
var Upload = class {
  constructor(watch) {
    this.watch = watch;
  }
  watch;
  sourceFailure;
  init(content) {
    if (content instanceof Uint8Array) return { body: content };
    const reader = content.getReader();
    const body = new ReadableStream({
      pull: async (controller) => {
        try {
          const { done, value } = await reader.read();
          this.watch.touch();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (cause) {
          this.sourceFailure = cause;
          controller.error(cause);
        }
      },
      cancel: (reason) => reader.cancel(reason)
    });
    return { body, duplex: "half" };
  }
};

// packages/registry/src/http/idle-timeout.ts
var IdleTimeout = class {
  constructor(timeoutMs, abort) {
    this.timeoutMs = timeoutMs;
    this.abort = abort;
    this.touch();
  }
  timeoutMs;
  abort;
  expired = false;
  #timer;
  touch() {
    this.stop();
    this.#timer = setTimeout(() => {
      this.expired = true;
      this.abort.abort();
    }, this.timeoutMs);
    this.#timer.unref();
  }
  stop() {
    clearTimeout(this.#timer);
  }
};

// packages/registry/src/http/transport.ts
function deadlineError(last) {
  return new TgoError(last.code, `${last.what} (and the time for all tries is over)`, {
    where: last.where,
    remedy: last.remedy,
    cause: last
  });
}
function waitAsked(attempt2, { waits }) {
  return waits?.[attempt2 - 1] ?? waits?.at(-1) ?? 0;
}
var defaultSleep = async (milliseconds, signal) => {
  await delay(milliseconds, void 0, signal === void 0 ? {} : { signal });
};
var FIRST_WAIT_MS = 500;
var LONGEST_WAIT_MS = 3e4;
var LONGEST_ASKED_MS = 10 * 6e4;
var Transport = class {
  #o;
  /** Stops of the requests under way; one listener on the caller's signal serves them all. */
  #underWay = /* @__PURE__ */ new Set();
  /** Of their own each: a write waits for the read that it copies from, and a read for nothing. */
  #lanes;
  /** Milliseconds that faults have cost so far, and until when that is counted: what is lost at once, is lost once. */
  #lostMs = 0;
  #countedTo = 0;
  constructor(options) {
    this.#o = options;
    const { reads, writes } = options.concurrency;
    this.#lanes = { reads: new ConcurrencyLimit(reads), writes: new ConcurrencyLimit(writes) };
    options.signal?.addEventListener("abort", () => {
      for (const stop of this.#underWay) stop();
    });
  }
  /**
   * The answer, whatever its status, after the repeats that its status or a network fault deserved.
   * @throws TgoError UNAVAILABLE when no answer came, INTERRUPTED when the caller's signal fired.
   */
  async send(call) {
    for (let attempt2 = 1; ; attempt2++) {
      const began2 = this.#o.now();
      const outcome2 = await this.#attempt(call);
      const patience = outcome2 instanceof RegistryResponse ? await this.#patienceWith(outcome2) : outcome2.patience;
      if (patience !== void 0) this.#lose(began2);
      const verdict2 = patience === void 0 || call.once === true ? "enough" : this.verdict(attempt2, patience);
      if (patience === void 0 || verdict2 === "enough") {
        if (outcome2 instanceof RegistryResponse) return outcome2;
        throw outcome2.error;
      }
      if (verdict2 === "out of time")
        throw deadlineError(
          outcome2 instanceof RegistryResponse ? await this.refusal(outcome2) : outcome2.error
        );
      if (outcome2 instanceof RegistryResponse) await outcome2.discard();
      await this.wait(attempt2, patience, call.doing);
    }
  }
  /** Whether a further try is worth its wait. @param attempt the try that failed, from 1 */
  verdict(attempt2, patience) {
    const asked = waitAsked(attempt2, patience);
    if (attempt2 >= Math.min(patience.tries, this.#o.retries + 1) || asked > LONGEST_ASKED_MS) return "enough";
    return this.#lostMs + asked > this.#o.totalMs ? "out of time" : "again";
  }
  /** Full jitter between nothing and the doubled wait, and never less than the server asked for. */
  async wait(attempt2, patience, doing) {
    const backoff = this.#o.random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempt2 - 1));
    const waitMs = Math.round(waitAsked(attempt2, patience) + backoff);
    this.#o.onRetry?.({ host: this.#o.host, doing, attempt: attempt2, waitMs, reason: patience.reason });
    const began2 = this.#o.now();
    await this.sleep(waitMs);
    this.#lose(began2);
  }
  #lose(since2) {
    const now = this.#o.now();
    this.#lostMs += Math.max(0, now - Math.max(since2, this.#countedTo));
    this.#countedTo = now;
  }
  async sleep(milliseconds) {
    this.#throwIfInterrupted();
    try {
      await this.#o.sleep(milliseconds, this.#o.signal);
    } catch (cause) {
      this.#throwIfInterrupted();
      throw cause;
    }
    this.#throwIfInterrupted();
  }
  /** The answer as an error for the reader. */
  async refusal(answer) {
    return failureError(await this.fault(answer));
  }
  async fault(answer) {
    return {
      host: this.#o.host,
      where: answer.call.where,
      doing: answer.call.doing,
      stage: answer.call.stage ?? "registry",
      method: answer.call.method,
      status: answer.status,
      text: this.#o.redactor.clean(await answer.text()),
      contentType: answer.headers.get("content-type") ?? "",
      retryAfter: answer.headers.get("retry-after") ?? void 0,
      scheme: parseChallenges(answer.headers.get("www-authenticate") ?? "")[0]?.scheme,
      identity: this.#o.identity
    };
  }
  async #patienceWith(answer) {
    if (answer.status < 400 || answer.status === 401) return void 0;
    return retryLimits(await this.fault(answer));
  }
  async #attempt(call) {
    const lanes = call.method === "GET" || call.method === "HEAD" ? this.#lanes.reads : this.#lanes.writes;
    await lanes.enter();
    let answer;
    try {
      answer = await this.#ask(call);
    } finally {
      lanes.leave();
    }
    if (call.whole === void 0 || !(answer instanceof RegistryResponse) || !answer.ok) return answer;
    try {
      await answer.bytes(call.whole);
      return answer;
    } catch (error2) {
      if (isTgoError(error2) && error2.code === "UNAVAILABLE") return connectionLost(error2);
      throw error2;
    }
  }
  async #ask(call) {
    this.#throwIfInterrupted();
    const abort = new AbortController();
    const watch = new IdleTimeout(this.#o.timeoutMs, abort);
    const stop = () => {
      abort.abort();
    };
    this.#underWay.add(stop);
    const finished = () => {
      watch.stop();
      this.#underWay.delete(stop);
    };
    const upload = new Upload(watch);
    try {
      const response = await this.#o.fetch(call.url, {
        method: call.method,
        headers: {
          ...call.headers,
          ...call.body === void 0 ? {} : { "content-length": String(call.body.size) }
        },
        redirect: "manual",
        signal: abort.signal,
        ...call.body === void 0 ? {} : upload.init(await call.body.open())
      });
      const faultOf = (cause) => this.#networkFault(call, cause, watch).error;
      return new RegistryResponse(call, response, watch, finished, faultOf);
    } catch (cause) {
      finished();
      this.#throwIfInterrupted();
      if (upload.sourceFailure !== void 0) return sourceFailure(upload.sourceFailure);
      if (cause instanceof TgoError) return sourceFailure(cause);
      return this.#networkFault(call, cause, watch);
    }
  }
  #networkFault(call, cause, watch) {
    this.#throwIfInterrupted();
    const fault = watch.expired ? { code: "TIMEOUT", text: `no answer for ${this.#o.timeoutMs / 1e3} s` } : describe3(cause);
    const server = call.stage === "token" ? `the login server ${call.url.host} of ${this.#o.host}` : this.#o.host;
    const via = call.stage !== "token" && call.url.host !== this.#o.host ? ` (at ${call.url.origin})` : "";
    return networkFailure(
      { code: fault.code, text: this.#o.redactor.clean(fault.text) },
      { server: server + via, where: call.where, hostname: call.url.hostname }
    );
  }
  #throwIfInterrupted() {
    if (this.#o.signal?.aborted === true) throw new TgoError("INTERRUPTED", "stopped by the caller");
  }
};

// packages/registry/src/http/connection.ts
var MAX_REDIRECTS = 5;
var Connection = class {
  host;
  origin;
  transport;
  anonymous;
  #authorizer;
  constructor(o) {
    if (!isHost(o.host)) {
      throw new TgoError("USAGE", `"${o.host}" is not a registry host`, {
        remedy: 'Write it as in an image reference, without a scheme: "ghcr.io", "localhost:5001".'
      });
    }
    this.host = o.host === "index.docker.io" ? "docker.io" : o.host;
    this.origin = originOf(this.host, o.url);
    this.anonymous = o.credentials === void 0;
    const redactor = new Redactor();
    const now = o.now ?? Date.now;
    if (o.credentials !== void 0) {
      if ("identityToken" in o.credentials) redactor.add(o.credentials.identityToken);
      else {
        redactor.add(o.credentials.password);
        redactor.add(`${o.credentials.username}:${o.credentials.password}`);
      }
    }
    this.transport = new Transport({
      host: this.host,
      // Called as a plain function: the global fetch must not see another `this`.
      fetch: o.fetch ?? ((input, init) => fetch(input, init)),
      sleep: o.sleep ?? defaultSleep,
      random: o.random ?? Math.random,
      signal: o.signal,
      timeoutMs: o.timeoutMs ?? 6e4,
      retries: o.retries ?? 4,
      onRetry: o.onRetry,
      now,
      totalMs: o.totalMs ?? 30 * 6e4,
      concurrency: o.concurrency ?? { reads: 16, writes: 4 },
      redactor,
      identity: this.anonymous ? "anonymous" : "credentials"
    });
    this.#authorizer = new Authorizer({
      host: this.host,
      credentials: o.credentials,
      transport: this.transport,
      reach: (url2) => this.reach(url2),
      origin: this.origin,
      redactor,
      now
    });
  }
  /**
   * A call below `/v2/<repository>/`.
   * @throws TgoError USAGE for a malformed name: it never reaches the wire.
   */
  call({ repository, path, query = {}, reference, ...rest }) {
    assertNames(this.host, repository, reference);
    const url2 = new URL(`/v2/${repository}/${path}`, this.origin);
    for (const [name4, value] of Object.entries(query)) url2.searchParams.set(name4, value);
    return { ...rest, url: url2, where: this.where(repository, reference) };
  }
  /** A repository, tag or digest as messages name it. */
  where(repository, reference) {
    if (reference === void 0) return `${this.host}/${repository}`;
    return formatReference({
      host: this.host,
      repository,
      ...isDigest(reference) ? { digest: reference } : { tag: reference }
    });
  }
  /**
   * A URL that the registry named, as it is reached from here. A registry behind a service endpoint or a TLS
   * proxy still names itself by its own host.
   */
  reach(url2) {
    if (url2.host !== hostOf(this.host) && url2.host !== hostOf(apiHost(this.host))) return url2;
    return new URL(`${url2.pathname}${url2.search}`, this.origin);
  }
  /** One authorized request; a 401 is answered once with a fresh token. */
  async send(call, scopes) {
    if (call.url.origin !== this.origin.origin) return this.transport.send(call);
    const sent3 = await this.#authorizer.header(scopes);
    const answer = await this.transport.send(authorized(call, sent3));
    if (!await this.#refused(answer, sent3)) return answer;
    const fresh = await this.#authorizer.renew(answer, scopes, sent3);
    if (fresh === void 0) return answer;
    await answer.discard();
    return this.transport.send(authorized(call, fresh));
  }
  /**
   * As {@link send}, following redirects. Another host gets no credentials; an unencrypted one is refused,
   * unless the caller will check the digest of what comes (`plainStore`: Aliyun's blob store answers on http).
   */
  async follow(call, scopes, { plainStore = false } = {}) {
    let answer = await this.send(call, scopes);
    for (let hops = 0; isRedirect(answer); hops++) {
      const from = answer.call.url;
      const url2 = this.location(answer, call.where);
      await answer.discard();
      if (hops === MAX_REDIRECTS) {
        throw new TgoError("INVALID_RESPONSE", `the registry redirects more than ${MAX_REDIRECTS} times`, {
          where: call.where
        });
      }
      const downgrade = from.protocol === "https:" && url2.protocol === "http:";
      if (downgrade && !plainStore) {
        throw new TgoError(
          "INVALID_RESPONSE",
          `the registry redirects to ${url2.origin}, which is not encrypted`,
          {
            where: call.where,
            remedy: "This is followed for whole blobs only, whose digest is checked."
          }
        );
      }
      const next2 = { ...call, url: url2 };
      answer = url2.origin === this.origin.origin ? await this.send(next2, scopes) : await this.transport.send(next2);
    }
    return answer;
  }
  /** The `Location` of an answer, resolved and reachable. @throws TgoError INVALID_RESPONSE */
  location(answer, where2) {
    const text2 = answer.headers.get("location") ?? "";
    const url2 = text2 !== "" && URL.canParse(text2, answer.call.url.href) ? new URL(text2, answer.call.url) : void 0;
    if (url2 === void 0 || !/^https?:$/.test(url2.protocol) || url2.username !== "" || url2.password !== "") {
      throw new TgoError("INVALID_RESPONSE", "the registry answers with a redirect that leads nowhere", {
        where: where2
      });
    }
    return this.reach(url2);
  }
  async #refused(answer, sent3) {
    if (answer.status === 401) return true;
    if (answer.status !== 403 || sent3 === void 0 || answer.headers.has("www-authenticate")) return false;
    return /invalid token/i.test(await answer.text());
  }
};
function authorized(call, authorization) {
  return authorization === void 0 ? call : { ...call, headers: { ...call.headers, authorization } };
}
function isRedirect({ status }) {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}
function apiHost(host) {
  return host === "docker.io" ? "registry-1.docker.io" : host;
}
function hostOf(host) {
  return new URL(`https://${host}`).host;
}
function originOf(host, url2) {
  const api = apiHost(host);
  const plain = isLoopback(new URL(`http://${api}`).hostname);
  const text2 = url2 ?? `${plain ? "http" : "https"}://${api}`;
  const parsed = URL.canParse(text2) ? new URL(text2) : void 0;
  const isOrigin = parsed !== void 0 && /^https?:$/.test(parsed.protocol) && parsed.pathname === "/" && parsed.search === "";
  if (!isOrigin || parsed.username !== "" || parsed.password !== "") {
    throw new TgoError("USAGE", "the registry's URL is not an http(s) origin", {
      where: host,
      remedy: 'Write it as "http://localhost:5001": scheme, host and port, no user, no path.'
    });
  }
  return parsed;
}

// packages/registry/src/ping.ts
var REMEDY = "Check the host and the port; a web server, proxy or login page may be answering in its place.";
async function ping(connection) {
  const url2 = new URL("/v2/", connection.origin);
  const answer = await connection.follow(
    { method: "GET", url: url2, where: connection.host, doing: "answer as a registry" },
    []
  );
  const text2 = await answer.text();
  const isRegistry = answer.headers.has("docker-distribution-api-version") || !isPage(answer, text2);
  if (answer.status === 404 || answer.ok && !isRegistry) {
    const said = `it answers ${answer.status} and ${firstBytes(text2)}`;
    throw new TgoError("INVALID_RESPONSE", `${connection.origin.origin} is no container registry: ${said}`, {
      where: connection.host,
      remedy: REMEDY
    });
  }
  if (!answer.ok) throw await connection.transport.refusal(answer);
}
function assertRegistry(answer, { origin }) {
  if (!isPage(answer, "")) return;
  throw new TgoError(
    "INVALID_RESPONSE",
    `${origin.origin} is no container registry, or its front end is down: it answers 404 with an HTML page`,
    { where: answer.call.where, remedy: REMEDY }
  );
}
function isPage(answer, text2) {
  return answer.headers.get("content-type")?.includes("html") === true || /^\s*</.test(text2);
}

// packages/registry/src/blobs.ts
var RESUMES = 5;
async function hasBlob(connection, repository, digest, { size: size2, ...access }) {
  const call = connection.call({
    method: "HEAD",
    repository,
    path: `blobs/${digest}`,
    reference: digest,
    doing: "look for a blob"
  });
  const answer = await connection.send(call, [scopeFor(repository, access)]);
  await answer.discard();
  if (answer.status === 404) {
    assertRegistry(answer, connection);
    return void 0;
  }
  if (!isRedirect(answer) && !answer.ok) throw await connection.transport.refusal(answer);
  const length = isRedirect(answer) ? Number.NaN : Number(answer.headers.get("content-length") ?? Number.NaN);
  return Number.isSafeInteger(length) ? length : size2 ?? sizeByRange(connection, repository, digest);
}
async function readBlobStream(connection, repository, digest, range) {
  const first = await open2(connection, repository, digest, range, 0);
  let opened = first;
  return blobStream({
    open: async (offset) => {
      const given = opened;
      opened = void 0;
      return given ?? open2(connection, repository, digest, range, offset);
    },
    abandon: async () => opened?.discard(),
    digest: range === void 0 ? digest : void 0,
    where: connection.where(repository, digest),
    resumes: RESUMES,
    pause: (attempt2) => connection.transport.wait(attempt2, { tries: RESUMES, reason: "the connection broke" }, "read the blob")
  });
}
async function sizeByRange(connection, repository, digest) {
  const { chunks, total } = await open2(connection, repository, digest, { start: 0, end: 0 }, 0);
  let length = 0;
  for await (const chunk of chunks) length += chunk.length;
  return total ?? length;
}
async function open2(connection, repository, digest, range, offset) {
  const start = (range?.start ?? 0) + offset;
  const ranged = range !== void 0 || offset > 0;
  const answer = await ask(
    connection,
    repository,
    digest,
    ranged ? `bytes=${start}-${range?.end ?? ""}` : void 0,
    range === void 0
  );
  if (!answer.ok) throw await connection.transport.refusal(answer);
  const body = { chunks: answer.chunks(), discard: () => answer.discard() };
  if (!ranged || answer.status !== 206 && range === void 0)
    return { ...body, offset: 0, total: void 0 };
  const [, from, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(answer.headers.get("content-range") ?? "") ?? [];
  if (answer.status === 206 && from !== void 0 && Number(from) === start) {
    return { ...body, offset, total: total === "*" ? void 0 : Number(total) };
  }
  await answer.discard();
  const what = answer.status === 206 ? `the registry sent another range than bytes ${start}-${range?.end ?? ""}` : "the registry ignores byte ranges";
  throw new TgoError("INVALID_RESPONSE", what, { where: answer.call.where });
}
async function ask(connection, repository, digest, range, whole) {
  const call = connection.call({
    method: "GET",
    repository,
    path: `blobs/${digest}`,
    reference: digest,
    doing: "read the blob",
    ...range === void 0 ? {} : { headers: { range } }
  });
  const follow2 = () => connection.follow(call, [pullScope(repository)], { plainStore: whole });
  const answer = await follow2();
  if (answer.status !== 403 || answer.call.url.origin === connection.origin.origin) return answer;
  await answer.discard();
  return follow2();
}

// packages/registry/src/blob-upload.ts
var UPLOADS = 5;
var NOTHING = { size: 0, open: () => new Uint8Array(0) };
async function putBlob(connection, repository, upload) {
  const { digest, size: size2 } = upload;
  const isThere2 = async () => await hasBlob(connection, repository, digest, { size: size2, push: true }) !== void 0;
  if (await isThere2()) return "exists";
  let session;
  for (const from of upload.mountFrom ?? []) {
    const mount = await mountBlob(connection, repository, digest, from);
    if (mount === "mounted") return "mounted";
    session ??= mount;
  }
  for (let attempt2 = 1; ; attempt2++) {
    const setback = await send(
      connection,
      repository,
      upload,
      session ?? await startUpload(connection, repository, digest)
    );
    if (setback === void 0) return "uploaded";
    session = void 0;
    const verdict2 = setback.patience === void 0 ? "enough" : connection.transport.verdict(attempt2, setback.patience);
    if (setback.patience === void 0 || verdict2 === "enough") throw setback.error;
    if (verdict2 === "out of time") throw deadlineError(setback.error);
    await connection.transport.wait(attempt2, setback.patience, "upload the blob");
    if (await isThere2()) return "uploaded";
  }
}
async function mountBlob(connection, repository, digest, from) {
  assertNames(connection.host, from);
  const query = { mount: digest, from };
  const call = connection.call({
    method: "POST",
    repository,
    path: "blobs/uploads/",
    query,
    reference: digest,
    doing: "mount a blob",
    body: NOTHING
  });
  try {
    const answer = await connection.send(call, [pushScope(repository), pullScope(from)]);
    await answer.discard();
    if (answer.status === 201) return "mounted";
    return answer.status === 202 ? connection.location(answer, call.where) : void 0;
  } catch (error2) {
    if (isTgoError(error2) && error2.code !== "INTERRUPTED") return void 0;
    throw error2;
  }
}
async function startUpload(connection, repository, digest) {
  const call = connection.call({
    method: "POST",
    repository,
    path: "blobs/uploads/",
    reference: digest,
    doing: "start an upload",
    body: NOTHING
  });
  const answer = await connection.send(call, [pushScope(repository)]);
  if (answer.status !== 202) throw await connection.transport.refusal(answer);
  await answer.discard();
  return connection.location(answer, call.where);
}
async function send(connection, repository, { digest, size: size2, open: open3 }, session) {
  const where2 = connection.where(repository, digest);
  if (session.protocol === "http:" && connection.origin.protocol === "https:") {
    throw new TgoError(
      "INVALID_RESPONSE",
      `the registry wants the upload at ${session.origin}, which is not encrypted`,
      { where: where2 }
    );
  }
  const url2 = new URL(session);
  url2.searchParams.set("digest", digest);
  const headers = { "content-type": "application/octet-stream" };
  try {
    const answer = await connection.send(
      { method: "PUT", url: url2, where: where2, doing: "upload the blob", headers, body: { size: size2, open: open3 }, once: true },
      [pushScope(repository)]
    );
    if (answer.ok) {
      await answer.discard();
      return void 0;
    }
    const lost = answer.status === 404 ? { tries: 3, reason: "the upload session was lost" } : void 0;
    const patience = lost ?? retryLimits(await connection.transport.fault(answer));
    return { error: await connection.transport.refusal(answer), patience };
  } catch (error2) {
    if (!isTgoError(error2) || error2.code !== "UNAVAILABLE") throw error2;
    return { error: error2, patience: { tries: UPLOADS, reason: error2.what } };
  }
}

// packages/registry/src/manifests.ts
var READ_LAG_MS = [1e3, 2e3, 4e3, 8e3, 15e3];
var Manifests = class {
  #connection;
  /** What this object has put, as `repository digest` and `repository tag`. */
  #written = /* @__PURE__ */ new Set();
  constructor(connection) {
    this.#connection = connection;
  }
  async resolve(repository, reference, access) {
    return this.#patiently(repository, reference, access, () => this.#head(repository, reference, access));
  }
  async read(repository, reference, access) {
    const found = await this.#patiently(
      repository,
      reference,
      access,
      () => this.#get(repository, reference, access)
    );
    if (found !== void 0) return found;
    const where2 = this.#connection.where(repository, reference);
    const name4 = isDigest(reference) ? "such digest" : `tag "${reference}"`;
    if (this.#written.has(`${repository} ${reference}`)) {
      throw new TgoError("NOT_FOUND", `the registry took what was pushed, and there is no ${name4}`, {
        where: where2,
        remedy: "Run the same command again: what is there is not pushed twice."
      });
    }
    throw new TgoError("NOT_FOUND", `there is no ${name4}`, {
      where: where2,
      remedy: "Publish it first, or check the name: tags are case-sensitive."
    });
  }
  async put(repository, reference, mediaType, bytes) {
    const call = this.#connection.call({
      method: "PUT",
      repository,
      path: `manifests/${reference}`,
      reference,
      doing: "push the manifest",
      headers: { "content-type": mediaType },
      body: { size: bytes.length, open: () => bytes }
    });
    const digest = isDigest(reference) ? reference : digestOf(bytes);
    if (digestLike(digest, bytes) !== digest) {
      throw new TgoError("INTERNAL", `the manifest's bytes do not have the digest ${digest}`, {
        where: call.where
      });
    }
    const answer = await this.#connection.send(call, [pushScope(repository)]);
    if (answer.ok) await this.#taken(answer, digest);
    else await this.#refused(answer, repository, reference, digest);
    this.#written.add(`${repository} ${reference}`).add(`${repository} ${digest}`);
    const subject = answer.headers.get("oci-subject") ?? void 0;
    return { mediaType, digest, size: bytes.length, subject };
  }
  async delete(repository, digest) {
    const call = this.#connection.call({
      method: "DELETE",
      repository,
      path: `manifests/${digest}`,
      reference: digest,
      doing: "delete the manifest"
    });
    const answer = await this.#connection.send(call, [deleteScope(repository)]);
    if (!answer.ok) throw await this.#connection.transport.refusal(answer);
    await answer.discard();
    this.#written.delete(`${repository} ${digest}`);
  }
  async #head(repository, reference, access) {
    const answer = await this.#ask("HEAD", repository, reference, access);
    await answer.discard();
    if (answer.status === 404) {
      assertRegistry(answer, this.#connection);
      return void 0;
    }
    const digest = answer.headers.get("docker-content-digest") ?? "";
    const mediaType = answer.headers.get("content-type")?.split(";")[0]?.trim() ?? "";
    const size2 = Number(answer.headers.get("content-length") ?? Number.NaN);
    if (answer.ok && isDigest(digest) && mediaType !== "" && Number.isSafeInteger(size2)) {
      if (!isDigest(reference) || reference === digest) return { mediaType, digest, size: size2 };
      throw otherDigest(answer, reference, digest);
    }
    if (answer.status === 429 || answer.status >= 500) throw await this.#connection.transport.refusal(answer);
    return (await this.#get(repository, reference, access))?.descriptor;
  }
  async #get(repository, reference, access) {
    const answer = await this.#ask("GET", repository, reference, access);
    if (answer.status === 404) {
      if (/accept header/i.test(await answer.text())) throw await this.#connection.transport.refusal(answer);
      assertRegistry(answer, this.#connection);
      return void 0;
    }
    if (!answer.ok) throw await this.#connection.transport.refusal(answer);
    const bytes = await answer.bytes(MAX_MANIFEST_BYTES);
    const value = parseDocument(bytes, answer.call.where);
    const told2 = answer.headers.get("docker-content-digest") ?? "";
    const digest = isDigest(reference) ? digestLike(reference, bytes) : digestOf(bytes);
    if (isDigest(reference) && digest !== reference) throw otherDigest(answer, reference, digest);
    if (isDigest(told2) && digestLike(told2, bytes) !== told2) throw otherDigest(answer, told2, digest);
    return { descriptor: { mediaType: value.mediaType, digest, size: bytes.length }, bytes, value };
  }
  async #ask(method, repository, reference, access) {
    const doing = "read the manifest";
    const headers = { accept: ACCEPT_MANIFESTS };
    const call = this.#connection.call({
      method,
      repository,
      path: `manifests/${reference}`,
      reference,
      doing,
      headers,
      whole: MAX_MANIFEST_BYTES
    });
    return this.#connection.follow(call, [scopeFor(repository, access)]);
  }
  async #taken(answer, digest) {
    await answer.discard();
    const told2 = answer.headers.get("docker-content-digest");
    if (told2 === null || told2 === digest) return;
    throw new TgoError(
      "INVALID_RESPONSE",
      `the registry stored the manifest under ${told2}, it was sent as ${digest}`,
      {
        where: answer.call.where,
        remedy: "The registry, or a proxy before it, rewrites manifests. Push to it directly."
      }
    );
  }
  /** Docker Hub refuses any push to an immutable tag, even of what it holds already: that is no failure. */
  async #refused(answer, repository, reference, digest) {
    const error2 = await this.#connection.transport.refusal(answer);
    if (error2.code !== "DENIED") throw error2;
    const present = await this.#head(repository, reference, { push: true }).catch(() => void 0);
    if (present?.digest === digest) return;
    if (present === void 0 || error2.what.includes("tag exists")) throw error2;
    throw new TgoError("DENIED", `${error2.what} (the tag exists, as ${present.digest})`, {
      where: error2.where,
      remedy: `${error2.remedy ?? ""}
If the registry's tags are immutable: publish under a new tag.`.trim()
    });
  }
  /** What has just been put, by this object or by what the caller knows, is waited for; else absent is absent. */
  async #patiently(repository, reference, { fresh = false }, read3) {
    assertNames(this.#connection.host, repository, reference);
    const expected = fresh || this.#written.has(`${repository} ${reference}`);
    for (const lag of expected ? READ_LAG_MS : []) {
      const found = await read3();
      if (found !== void 0) return found;
      await this.#connection.transport.sleep(lag);
    }
    return read3();
  }
};
function otherDigest(answer, expected, actual) {
  return new TgoError("INVALID_RESPONSE", `the manifest's bytes have the digest ${actual}, not ${expected}`, {
    where: answer.call.where,
    remedy: "The registry, or a proxy before it, sent another manifest than was asked for."
  });
}

// packages/registry/src/push-probe.ts
var NOTHING2 = { size: 0, open: () => new Uint8Array(0) };
async function probePush(connection, repository) {
  const scopes = [pushScope(repository)];
  const call = connection.call({
    method: "POST",
    repository,
    path: "blobs/uploads/",
    doing: "start an upload",
    body: NOTHING2
  });
  const answer = await connection.send(call, scopes);
  if (answer.status !== 202) throw await connection.transport.refusal(answer);
  await answer.discard();
  const session = connection.location(answer, call.where);
  const cancel = {
    method: "DELETE",
    url: session,
    where: call.where,
    doing: "give up the upload",
    once: true
  };
  if (session.origin === connection.origin.origin)
    await connection.send(cancel, scopes).then(
      (ended) => ended.discard(),
      () => void 0
    );
  const date4 = new Date(answer.headers.get("date") ?? Number.NaN);
  return { date: Number.isNaN(date4.getTime()) ? void 0 : date4 };
}

// packages/registry/src/tags.ts
var TagList = object({ tags: array(string2()).nullish() });
var MAX_LIST_BYTES = 64 * 1024 * 1024;
var PAGE = "1000";
async function listTags(connection, repository) {
  const first = connection.call({
    method: "GET",
    repository,
    path: "tags/list",
    doing: "list the tags",
    whole: MAX_LIST_BYTES
  });
  const tags2 = /* @__PURE__ */ new Set();
  const seen2 = /* @__PURE__ */ new Set();
  let url2 = new URL(`?n=${PAGE}`, first.url);
  while (url2 !== void 0 && !seen2.has(url2.href)) {
    seen2.add(url2.href);
    const answer = await connection.follow({ ...first, url: url2 }, [pullScope(repository)]);
    if (answer.status === 404 && /NAME_UNKNOWN|NOT_FOUND/.test(await answer.text())) return [];
    if (answer.status === 400 && /PAGINATION_NUMBER_INVALID/.test(await answer.text())) {
      url2 = first.url;
      continue;
    }
    if (!answer.ok) throw await connection.transport.refusal(answer);
    for (const tag of tagsOf3(await answer.bytes(MAX_LIST_BYTES), first.where)) tags2.add(tag);
    url2 = nextPage(connection, answer);
  }
  return [...tags2];
}
function tagsOf3(bytes, where2) {
  const text2 = new TextDecoder().decode(bytes);
  const list2 = TagList.safeParse(parseJson(text2));
  if (list2.success) return list2.data.tags ?? [];
  throw new TgoError("INVALID_RESPONSE", `expected a list of tags, got ${firstBytes(text2)}`, { where: where2 });
}
function nextPage(connection, answer) {
  const { url: asked, where: where2 } = answer.call;
  const [, target] = /<([^>]*)>\s*;[^,]*\brel="?next"?/i.exec(answer.headers.get("link") ?? "") ?? [];
  if (target === void 0 || !URL.canParse(target, asked.href)) return void 0;
  const url2 = connection.reach(new URL(target, asked));
  if (url2.origin === connection.origin.origin) return url2;
  throw new TgoError("INVALID_RESPONSE", `the list of tags continues on another host (${url2.origin})`, {
    where: where2
  });
}

// packages/registry/src/client.ts
var Registry2 = class _Registry {
  /** As references name it. */
  host;
  /** Where it is reached: an origin. */
  url;
  anonymous;
  #options;
  #connection;
  #manifests;
  constructor(options) {
    this.#options = options;
    this.#connection = new Connection(options);
    this.#manifests = new Manifests(this.#connection);
    this.host = this.#connection.host;
    this.url = this.#connection.origin.origin;
    this.anonymous = this.#connection.anonymous;
  }
  /** The same registry, asked with another patience, as far as it is given; logins are its own. */
  withPatience(patience) {
    return new _Registry({ ...this.#options, ...patience });
  }
  /** The registry answers and accepts the credentials. */
  async ping() {
    await ping(this.#connection);
  }
  /** What a tag or digest stands for, or undefined when it is not there. Costs no pull on Docker Hub. */
  async resolve(repository, reference, access = {}) {
    return this.#manifests.resolve(repository, reference, access);
  }
  /**
   * An index or manifest. Its digest is computed from the bytes, and compared with the registry's header and,
   * when it was asked for by digest, with that.
   * @throws TgoError NOT_FOUND when there is none.
   */
  async manifest(repository, reference, access = {}) {
    return this.#manifests.read(repository, reference, access);
  }
  /** Puts these bytes as they are. A refusal of a tag that has this very digest already is success. */
  async putManifest(repository, tagOrDigest, mediaType, bytes) {
    return this.#manifests.put(repository, tagOrDigest, mediaType, bytes);
  }
  async deleteManifest(repository, digest) {
    await this.#manifests.delete(repository, digest);
  }
  /**
   * The blob's size in bytes, or undefined when the repository does not hold it.
   * @param known `size`: returned when the registry says that the blob exists but not how long it is.
   */
  async hasBlob(repository, digest, known = {}) {
    return hasBlob(this.#connection, repository, digest, known);
  }
  /**
   * A blob's bytes, or a range of them, as a stream that holds one chunk at a time and resumes where a
   * connection breaks. Read whole, they are checked against the digest when they end.
   */
  async blob(repository, digest, range) {
    return readBlobStream(this.#connection, repository, digest, range);
  }
  /**
   * Uploads a blob unless the repository holds it: HEAD, mount where it can be, else POST and one PUT (the one
   * way that all registries take for any size). A broken upload starts again with a new session.
   */
  async putBlob(repository, upload) {
    return putBlob(this.#connection, repository, upload);
  }
  /** Lets the repository share a blob of another one in this registry. False when it has to be uploaded. */
  async mountBlob(repository, digest, from) {
    return await mountBlob(this.#connection, repository, digest, from) === "mounted";
  }
  /** Whether a push would be let in, without pushing anything. @throws TgoError saying why not */
  async probePush(repository) {
    return probePush(this.#connection, repository);
  }
  /** Every tag; none for a repository that is not there. */
  async tags(repository) {
    return listTags(this.#connection, repository);
  }
};

// packages/registry/src/parallel.ts
async function inParallel(limit, items, work) {
  const results = [];
  const failures = [];
  let next2 = 0;
  const lane = async () => {
    for (let at = next2++; at < items.length && failures.length === 0; at = next2++) {
      try {
        results[at] = await work(items[at]);
      } catch (error2) {
        failures.push(error2);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
  if (failures.length > 0) throw failures[0];
  return results;
}

// packages/registry/src/transfer.ts
var BLOBS_AT_ONCE = 4;
var REPAIRS = 2;
async function pushParts(shipment, destination) {
  const { to, tag, onProgress, thorough = false } = destination;
  const top = shipment.manifests.at(-1);
  if (top === void 0) throw new TgoError("INTERNAL", "an image without a manifest");
  const tally = new Tally(onProgress);
  const named = await to.registry.resolve(to.repository, tag ?? top.digest, { push: true });
  const isNamed = named?.digest === top.digest;
  if (isNamed && !thorough) {
    tally.allPresent(shipment, tag);
    return tally.result();
  }
  const complete = !thorough && tag !== void 0 && await to.registry.resolve(to.repository, top.digest, { push: true }) !== void 0;
  if (complete) tally.allPresent(shipment);
  else await putBlobs(shipment.blobs, destination, tally);
  for (const manifest of complete ? [] : shipment.manifests) {
    const present = await to.registry.resolve(to.repository, manifest.digest, { push: true }) !== void 0;
    if (!present) await putManifest(manifest, shipment, destination, tally);
    tally.add({
      kind: "manifest",
      name: manifest.digest,
      size: manifest.bytes.length,
      outcome: present ? "present" : "uploaded"
    });
  }
  if (tag !== void 0 && !isNamed) {
    await to.registry.putManifest(to.repository, tag, top.mediaType, top.bytes);
    tally.add({ kind: "tag", name: tag, size: top.bytes.length, outcome: "uploaded" });
  }
  return tally.result();
}
async function putBlobs(blobs, { to, from }, tally) {
  const unique = [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
  await inParallel(BLOBS_AT_ONCE, unique, async ({ digest, size: size2, bytes }) => {
    const outcome2 = await to.registry.putBlob(to.repository, {
      digest,
      size: size2,
      open: () => bytes ?? read2(from, to, digest),
      mountFrom: bytes === void 0 ? mountSources(from, to) : []
    });
    tally.add({ kind: "blob", name: digest, size: size2, outcome: outcome2 === "exists" ? "present" : outcome2 });
  });
}
async function putManifest(manifest, shipment, destination, tally) {
  const { registry: registry2, repository } = destination.to;
  for (let repairs = 0; ; repairs++) {
    try {
      await registry2.putManifest(repository, manifest.digest, manifest.mediaType, manifest.bytes);
      return;
    } catch (error2) {
      if (!isTgoError(error2) || error2.code !== "NOT_FOUND" || repairs === REPAIRS) throw error2;
      await putBlobs(shipment.blobs, destination, tally);
      for (const child of shipment.manifests.slice(0, shipment.manifests.indexOf(manifest))) {
        await registry2.putManifest(repository, child.digest, child.mediaType, child.bytes);
      }
    }
  }
}
function read2(from, to, digest) {
  if (from !== void 0 && !(inOneRegistry(from, to) && from.repository === to.repository)) {
    return from.registry.blob(from.repository, digest);
  }
  throw new TgoError(
    "NOT_FOUND",
    "a layer of the image is not in the repository, and no other place was given to take it from",
    {
      where: address(to.registry, to.repository, digest),
      remedy: "Build and push the image again."
    }
  );
}
function inOneRegistry({ registry: a }, { registry: b }) {
  return a === b || a.host === b.host && a.url === b.url;
}
function mountSources(from, to) {
  return from !== void 0 && inOneRegistry(from, to) && from.repository !== to.repository ? [from.repository] : [];
}
var Tally = class {
  constructor(onProgress) {
    this.onProgress = onProgress;
  }
  onProgress;
  #blobs = /* @__PURE__ */ new Map();
  add(progress) {
    const before = this.#blobs.get(progress.name);
    if (before !== void 0 && progress.outcome === "present") return;
    if (progress.kind === "blob") this.#blobs.set(progress.name, progress);
    this.onProgress?.(progress);
  }
  allPresent({ blobs, manifests }, tag) {
    for (const { digest, size: size2 } of blobs) this.add({ kind: "blob", name: digest, size: size2, outcome: "present" });
    for (const { digest, bytes } of manifests)
      this.add({ kind: "manifest", name: digest, size: bytes.length, outcome: "present" });
    if (tag !== void 0)
      this.add({ kind: "tag", name: tag, size: manifests.at(-1)?.bytes.length ?? 0, outcome: "present" });
  }
  result() {
    const all = [...this.#blobs.values()];
    const uploaded = all.filter(({ outcome: outcome2 }) => outcome2 === "uploaded");
    return {
      uploaded: { blobs: uploaded.length, bytes: uploaded.reduce((sum, { size: size2 }) => sum + size2, 0) },
      mounted: all.filter(({ outcome: outcome2 }) => outcome2 === "mounted").length,
      present: all.filter(({ outcome: outcome2 }) => outcome2 === "present").length
    };
  }
};

// packages/registry/src/copy.ts
async function copyImage(o) {
  const held = await o.to.registry.resolve(o.to.repository, o.digest, { push: true });
  const from = held === void 0 || o.thorough === true ? o.from : o.to;
  return { digest: o.digest, ...await pushParts(await collect(from, o.digest), { ...o, from }) };
}
async function collect(from, digest) {
  const { bytes, value, descriptor } = await from.registry.manifest(from.repository, digest);
  const self = { digest, mediaType: descriptor.mediaType, bytes };
  if (!isIndex(value)) return { blobs: [...value.layers, value.config].filter(isHere), manifests: [self] };
  const children = await Promise.all(value.manifests.map((child) => collect(from, child.digest)));
  return {
    blobs: children.flatMap(({ blobs }) => blobs),
    manifests: [...children.flatMap(({ manifests }) => manifests), self]
  };
}
function isHere({ urls }) {
  return urls === void 0 || urls.length === 0;
}

// packages/registry/src/failures/problem.ts
function problemOf(error2) {
  if (!isTgoError(error2) || error2.code === "INTERRUPTED") throw error2;
  const { code: code3, what, where: where2, remedy } = error2;
  return { code: code3, what, where: where2, remedy };
}

// packages/registry/src/referrers.ts
var EMPTY = new TextEncoder().encode("{}");
async function attachArtifact(to, subject, artifact) {
  const { type, content, annotations = {} } = artifact;
  const config2 = { mediaType: OCI_EMPTY, digest: digestOf(EMPTY), size: EMPTY.length };
  const layer = { mediaType: type, digest: digestOf(content), size: content.length };
  const { mediaType, digest, size: size2 } = subject;
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    artifactType: type,
    config: config2,
    layers: [layer],
    subject: { mediaType, digest, size: size2 },
    annotations
  };
  const bytes = new TextEncoder().encode(canonicalJson2(manifest));
  const own2 = { mediaType: OCI_MANIFEST, digest: digestOf(bytes), size: bytes.length };
  const [held, listed2] = await Promise.all([
    to.registry.resolve(to.repository, own2.digest, { push: true }),
    readList(to, subject)
  ]);
  if (held !== void 0 && listed2?.manifests.some((other) => other.digest === own2.digest) === true)
    return { digest: own2.digest, state: "already there" };
  const blobs = [
    { ...config2, bytes: EMPTY },
    { ...layer, bytes: content }
  ];
  if (held === void 0) {
    await Promise.all(
      blobs.map(
        ({ digest: blob, size: length, bytes: data }) => to.registry.putBlob(to.repository, { digest: blob, size: length, open: () => data })
      )
    );
  }
  const put = await to.registry.putManifest(to.repository, own2.digest, OCI_MANIFEST, bytes);
  if (put.subject !== void 0)
    return { digest: own2.digest, state: held === void 0 ? "done" : "already there" };
  await list(to, subject, listed2?.manifests ?? [], { ...own2, artifactType: type, annotations });
  return { digest: own2.digest, state: "done" };
}
async function readList(to, subject) {
  const tag = listTag(subject);
  const listed2 = await to.registry.manifest(to.repository, tag, { push: true }).catch((error2) => {
    if (isTgoError(error2) && error2.code === "NOT_FOUND") return void 0;
    throw error2;
  });
  const value = listed2?.value;
  if (value === void 0 || isIndex(value)) return value;
  throw new TgoError("CONFLICT", "the tag that lists what belongs to the image is something else", {
    where: `${to.registry.host}/${to.repository}:${tag}`,
    remedy: "Find out who pushed it, and remove it."
  });
}
async function list(to, subject, others, referrer) {
  if (others.some(({ digest }) => digest === referrer.digest)) return;
  const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [...others, referrer] };
  const bytes = new TextEncoder().encode(canonicalJson2(index));
  await to.registry.putManifest(to.repository, listTag(subject), OCI_INDEX, bytes);
}
function listTag({ digest }) {
  return digest.replace(":", "-");
}

// packages/builders/src/dockerfile/assignments.ts
function parseAssignments(text2, what) {
  const lines2 = text2.replace(/^\uFEFF/, "").split(/\r?\n/);
  const found = [];
  for (let at = 0; at < lines2.length; at++) {
    const line = (lines2[at] ?? "").trim();
    if (line === "" || line.startsWith("#")) continue;
    const match = /^(?:export\s+)?([A-Za-z_][\w.-]*)\s*=\s*(.*)$/s.exec(line);
    if (match === null) throw malformed(what, at, "is not NAME=value");
    const [, name4 = "", rest = ""] = match;
    const quote = rest.startsWith("'") ? "'" : rest.startsWith('"') ? '"' : void 0;
    if (quote === void 0) {
      found.push({ name: name4, value: rest, quote });
      continue;
    }
    const start = at;
    let quoted = rest;
    while (!closes(quoted, quote)) {
      at += 1;
      if (at >= lines2.length) throw malformed(what, start, `opens a ${quote} that nothing closes`);
      quoted += `
${lines2[at] ?? ""}`;
    }
    const inner = quoted.trimEnd().slice(1, -1);
    if (quote === "'" ? inner.includes("'") : /(?<!\\)(?:\\\\)*"/.test(inner)) {
      throw malformed(what, start, "goes on behind its closing quote");
    }
    found.push({ name: name4, value: quote === "'" ? inner : unescaped(inner), quote });
  }
  return found;
}
function closes(text2, quote) {
  const trimmed = text2.trimEnd();
  if (trimmed.length < 2 || !trimmed.endsWith(quote)) return false;
  return quote === "'" || (/\\*$/.exec(trimmed.slice(0, -1))?.[0].length ?? 0) % 2 === 0;
}
var ESCAPES = { n: "\n", r: "\r", t: "	" };
function unescaped(text2) {
  return text2.replaceAll(/\\(.)/gs, (_, char) => ESCAPES[char] ?? char);
}
function malformed(what, line, why) {
  return new TgoError("USAGE", `line ${line + 1} of ${what} ${why}`, {
    remedy: 'Write one NAME=value a line; a value of several lines stands in quotes: NAME="\u2026".'
  });
}

// tgo:tools
var tools_default = 'import{open as ee,readdir as ne,readFile as R}from"node:fs/promises";import{join as g}from"node:path";import{inflateSync as k}from"node:zlib";var I=64*1024;async function N({git:n,commit:t}){let e=await re(n,t)??await te(n,t)??"",r=/^committer .* (\\d+) [+-]\\d{4}$/m.exec(e)?.[1];return r===void 0?null:Number(r)}async function re(n,t){let e=g(n,"objects",t.slice(0,2),t.slice(2)),r=await R(e).catch(()=>{});return r&&k(r).toString("utf8")}async function te(n,t){let e=g(n,"objects","pack"),r=await ne(e).catch(()=>[]);for(let o of r.filter(i=>i.endsWith(".idx"))){let i=oe(await R(g(e,o)),Buffer.from(t,"hex"));if(i!==void 0)return ie(g(e,o.replace(/\\.idx$/,".pack")),i)}}function oe(n,t){let e=a=>a<0?0:n.readUInt32BE(8+4*a),r=e(255),o=1032,i=t[0]??0;for(let a=e(i-1);a<e(i);a++){if(n.compare(t,0,20,o+20*a,o+20*a+20)!==0)continue;let s=n.readUInt32BE(o+24*r+4*a);return s<2147483648?s:Number(n.readBigUInt64BE(o+28*r+8*(s-2147483648)))}}async function ie(n,t){let e=await ee(n);try{let{buffer:r,bytesRead:o}=await e.read(Buffer.alloc(I),0,I,t),i=0;if(((r[0]??0)>>4&7)!==1)return;for(;((r[i]??0)&128)!==0;)i+=1;return k(r.subarray(i+1,o)).toString("utf8")}finally{await e.close()}}import{createHash as O}from"node:crypto";import{createReadStream as ae}from"node:fs";import{lstat as se,readdir as ce,readlink as fe}from"node:fs/promises";import{join as $}from"node:path";import{pipeline as de}from"node:stream/promises";async function A({root:n}){let t=O("sha256"),e=0,r=0,o=async i=>{let a=(await ce($(n,i))).sort();for(let s of a){let c=i===""?s:`${i}/${s}`,l=$(n,c),f=await se(l);if(f.isSymbolicLink())t.update(`link\\0${c}\\0${await fe(l)}\\0`);else if(f.isDirectory())t.update(`directory\\0${c}\\0`),await o(c);else if(f.isFile()){let d=O("sha256");await de(ae(l),d),t.update(`file\\0${c}\\0${(f.mode&73)===0?"":"x"}\\0${d.digest("hex")}\\0`),e+=1,r+=f.size}}};return await o(""),{hash:t.digest("hex"),files:e,bytes:r}}import{chmod as v,copyFile as le,lchown as ue,lstat as me,lutimes as pe,mkdir as ge,readlink as ye,rm as D,stat as he,symlink as we,writeFile as xe}from"node:fs/promises";import{basename as F,dirname as Ee,join as p,posix as B}from"node:path";async function j({root:n,source:t,seconds:e,...r}){let o=new Set,i=async a=>{let s=await _(n,Ee(a),o),c=p(s,F(a));return o.add(s).add(c),c};for(let{path:a,...s}of r.directories){let c=await _(n,a,o);o.add(c),await L(c,s)}for(let{path:a,target:s}of r.links){let c=await i(a);await D(c,{force:!0}),await we(s,c)}for(let{from:a,to:s,mode:c,owner:l}of r.files){let f=p(t,a),d=s.endsWith("/")||await M(await U(n,s)),E=await i(d?B.join(s,F(a)):s);await D(E,{force:!0}),await le(f,E);let Q=((await he(f)).mode&511).toString(8);await L(E,{mode:c??Q,owner:l??"0:0"})}for(let{path:a,text:s}of r.texts){let c=await i(a);await xe(c,s)}for(let a of o)await pe(a,e,e);return null}async function L(n,{mode:t,owner:e}){if(e!==void 0){let[r="0",o=r]=e.split(":");await ue(n,Number(r),Number(o))}t!==void 0&&await v(n,Number.parseInt(t,8))}async function _(n,t,e){let r=await U(n,t),o=n;for(let i of r.slice(n.length).split("/").filter(Boolean)){let a=o;o=p(o,i),!await M(o)&&(await ge(o),await v(o,493),e.add(a).add(o))}return r}async function M(n){return(await me(n).catch(()=>{}))?.isDirectory()??!1}var be=40;async function U(n,t){let e=t.split("/"),r="/";for(let o=0;e.length>0;){let[i="",...a]=e;e=a;let s=B.join(r,i),c=await ye(p(n,s)).catch(()=>{});if(c===void 0){r=s;continue}if(++o>be)throw new Error(`${t} in the image has too many symbolic links`);c.startsWith("/")&&(r="/"),e=[...c.split("/"),...e]}return p(n,r).replace(/\\/$/,"")}import{readdir as Pe,readFile as Te}from"node:fs/promises";import{join as b}from"node:path";async function y({root:n}){let e=(await Pe(n,{withFileTypes:!0}).catch(()=>[])).filter(o=>o.isDirectory()&&!o.name.startsWith("."));return(await Promise.all(e.map(async({name:o})=>{let i=b(n,o);if(o.startsWith("@"))return y({root:i});let a=await y({root:b(i,"node_modules")}),s=await Se(i);return s===void 0?a:[s,...a]}))).flat()}async function Se(n){try{let{name:t,version:e}=JSON.parse(await Te(b(n,"package.json"),"utf8"));return typeof t=="string"&&typeof e=="string"?{name:t,version:e}:void 0}catch{return}}import{setTimeout as Ie}from"node:timers/promises";async function H({requests:n,timeoutSeconds:t}){let e=Date.now()+t*1e3,r=await Promise.all(n.map(async({url:o,status:i})=>{for(;;){let a=await Re(o);if(a.status===i||Date.now()>e)return{ok:a.status===i,answer:a};await Ie(200)}}));return{ok:r.every(({ok:o})=>o),answers:r.map(({answer:o})=>o)}}async function Re(n){try{let t=await fetch(n,{redirect:"manual",signal:AbortSignal.timeout(1e4)});return await t.arrayBuffer(),{url:n,status:t.status}}catch(t){let e=t instanceof Error?t.cause??t:t;return{url:n,error:e instanceof Error?e.message:String(e)}}}var u=class extends Error{code;what;where;remedy;constructor(t,e,{where:r,remedy:o,cause:i}={}){super(ke(e,r,o),i===void 0?void 0:{cause:i}),this.name="TgoError",this.code=t,this.what=e,this.where=r,this.remedy=o}};function ke(n,t,e){let r=[t===void 0?n:`${t}: ${n}`];return e!==void 0&&r.push(...e.split(`\n`).map(o=>`  ${o}`)),r.join(`\n`)}var Ne={x86_64:"amd64","x86-64":"amd64",aarch64:"arm64",i386:"386"};function Oe({os:n,architecture:t,variant:e}){let r=Ne[t]??t;return e===void 0||e===""||(r==="arm64"&&e==="v8"||r==="amd64"&&e==="v1")?`${n}/${r}`:`${n}/${r}/${e}`}function C(n){let t=/^([a-z0-9]+)\\/([a-z0-9_-]+)(?:\\/([a-z0-9.]+))?$/.exec(n),[,e,r,o]=t??[];if(e===void 0||r===void 0)throw new u("USAGE",`"${n}" is not a platform`,{remedy:\'Write it as "linux/amd64" or "linux/arm64".\'});let i=Oe({os:e,architecture:r,variant:o}).split("/");return{os:e,architecture:i[1]??r,...i[2]===void 0?{}:{variant:i[2]}}}function z(n){return/\\.(?:cpython|pypy|graalpy)[^/.]*-([a-z0-9_]+)-linux-(?:gnu|musl)[a-z0-9_]*\\.so$/.exec(n)?.[1]}var w=20;function W(n){if(n.length<w||n[0]!==127||n[1]!==69||n[2]!==76||n[3]!==70)return;let[t,e]=[n[4],n[5]];if(t!==1&&t!==2||e!==1&&e!==2)return;let r=new DataView(n.buffer,n.byteOffset,n.byteLength);return{class:t===2?64:32,endianness:e===1?"little":"big",machine:r.getUint16(18,e===1)}}var $e={0:"none",2:"sparc",3:"i386",8:"mips",20:"ppc",21:"ppc64",22:"s390",40:"arm",43:"sparcv9",62:"x86-64",183:"aarch64",190:"cuda",224:"amdgpu",243:"riscv",247:"bpf",258:"loongarch"},V={amd64:62,386:3,arm64:183,arm:40,riscv64:243,ppc64le:21,s390x:22,loong64:258},Ae={x86_64:62,aarch64:183,i386:3},De=new Set([0,190,224,247]);function Fe(n){let{architecture:t}=C(n),e=V[t];if(e!==void 0)return e;throw new u("USAGE",`no ELF machine is known for the platform "${n}"`,{remedy:`Known architectures: ${Object.keys(V).join(", ")}.`})}function P(n){return $e[n]??`machine ${n}`}function Le(n){return De.has(n)}var h=class{#n=0;#e=new Map;#r=[];#t;#o;constructor(t,{allow:e=[]}={}){this.#t=Fe(t);let r=e.map(_e);this.#o=o=>r.some(i=>i.test(o))}add(t,e){if(this.#n++,e===void 0)return;let r=P(e);this.#e.set(r,(this.#e.get(r)??0)+1);let o=this.#i(t,e);o!==void 0&&!this.#o(t)&&this.#r.push({path:t,machine:o})}#i(t,e){if(Le(e))return;if(e!==this.#t)return P(e);let r=z(t)??"";return(Ae[r]??e)!==e?`${P(e)}, but named for ${r}: Python ignores it`:void 0}report(){let t=(e,r)=>e<r?-1:e>r?1:0;return{files:this.#n,elf:[...this.#e.values()].reduce((e,r)=>e+r,0),machines:Object.fromEntries([...this.#e].sort(([e],[r])=>t(e,r))),foreign:this.#r.sort((e,r)=>t(e.path,r.path))}}};function _e(n){let e=`/${n.replace(/^\\/+/,"")}${n.endsWith("/")?"**":""}`.replace(/\\*\\*\\/?|\\*|[.+?^${}()|[\\]\\\\]/g,r=>r==="**/"?"(?:.*/)?":r==="**"?".*":r==="*"?"[^/]*":`\\\\${r}`);return new RegExp(`^${e}$`,"s")}import{Buffer as m}from"node:buffer";import{closeSync as ve,openSync as Be,readdirSync as je,readSync as Me,constants as G}from"node:fs";import{setImmediate as Ue}from"node:timers/promises";var He=new Set(["/proc","/sys","/dev"]),Y=20;async function T(n,t,e={}){let r=new h(t,e),o=m.alloc(w),i=m.from(n.replace(/\\/+$/,"")),a=[m.alloc(0)],s=performance.now()+Y;for(let c=a.pop();c!==void 0;c=a.pop()){let l=c;for(let f of J(x(l),()=>je(m.concat([i,l,K]),Ce))){let d=m.concat([l,K,f.name]);f.isDirectory()?He.has(x(d))||a.push(d):f.isFile()&&r.add(x(d),J(x(d),()=>ze(m.concat([i,d]),o))),!(performance.now()<s)&&(await Ue(),s=performance.now()+Y)}}return r.report()}var K=m.from("/"),Ce={withFileTypes:!0,encoding:"buffer"};function x(n){return n.length===0?"/":n.toString("utf8")}function ze(n,t){let e=Be(n,G.O_RDONLY|G.O_NOFOLLOW);try{let r=Me(e,t,0,w,0);return W(t.subarray(0,r))?.machine}finally{ve(e)}}function J(n,t){try{return t()}catch(e){let r=e instanceof Error&&"code"in e?String(e.code):"unknown error";throw new u("ENVIRONMENT",`${n} cannot be read for the ELF check (${r})`,{remedy:"Run the check as root, on a complete file system.",cause:e})}}function q({root:n,platform:t,allow:e}){return T(n,t,{allow:e})}import{chmod as Ve,lutimes as We,lstat as Ge,readdir as Ye}from"node:fs/promises";import{join as Ke}from"node:path";async function S({root:n,seconds:t}){let e=await Ge(n);if(e.isDirectory())for(let r of await Ye(n))await S({root:Ke(n,r),seconds:t});return e.isSymbolicLink()||await Ve(n,e.isDirectory()||(e.mode&64)!==0?493:420),await We(n,t,t),null}var[X,Je]=process.argv.slice(2),qe=JSON.parse(Je??"null"),Xe={"commit-time":N,inspect:A,lay:j,packages:y,probe:H,scan:q,stamp:S},Z=Xe[X??""];if(Z===void 0)throw new Error(`unknown command ${String(X)}`);process.stdout.write(JSON.stringify(await Z(qe)));\n';

// packages/builders/src/container-tools/container-tools.ts
var TOOLS_BASE = "docker.io/library/node:20-alpine";
var PROGRAM = "/run/tgo/tools.mjs";
async function toolsContainer(context) {
  return (await baseImage(context, TOOLS_BASE, context.native)).withNewFile(PROGRAM, tools_default);
}
async function hashDirectory(context, directory) {
  const tools = await toolsContainer(context);
  return run(tools.withMountedDirectory("/mnt/tree", directory), "inspect", {
    root: "/mnt/tree"
  });
}
async function readCommitTime(context, git, commit) {
  const tools = await toolsContainer(context);
  const root = "/mnt/git";
  const mounted = tools.withMountedDirectory(root, git, { readOnly: true });
  const seconds = await run(mounted, "commit-time", { git: root, commit });
  return seconds === null ? void 0 : new Date(seconds * 1e3);
}
async function listPackages(context, modules) {
  const tools = await toolsContainer(context);
  const root = "/mnt/modules";
  return run(tools.withMountedDirectory(root, modules, { readOnly: true }), "packages", { root });
}
async function scanRoot(context, root, platform2, allow) {
  const tools = await toolsContainer(context);
  const mounted = tools.withMountedDirectory("/mnt/variant", root, { readOnly: true });
  return run(mounted, "scan", { root: "/mnt/variant", platform: platform2, allow });
}
async function withNormalizedMetadata(context, directory, seconds) {
  const tools = await toolsContainer(context);
  const root = "/mnt/tree";
  const input = JSON.stringify({ root, seconds });
  return tools.withDirectory(root, directory).withExec(["node", PROGRAM, "stamp", input]).directory(root);
}
async function withInstalledFiles(context, root, source, input) {
  const tools = await toolsContainer(context);
  const places = { root: "/mnt/tree", source: "/mnt/source" };
  return tools.withMountedDirectory(places.root, root).withMountedDirectory(places.source, source, { readOnly: true }).withExec(["node", PROGRAM, "lay", JSON.stringify({ ...places, ...input })]).directory(places.root);
}
function probeFrom(container, input) {
  return run(container, "probe", input);
}
async function run(container, command, input) {
  const output2 = await container.withExec(["node", PROGRAM, command, JSON.stringify(input)]).stdout();
  try {
    return JSON.parse(output2);
  } catch (cause) {
    throw new TgoError("INTERNAL", `the ${command} tool did not answer with JSON`, { cause });
  }
}

// packages/builders/src/source/load-source.ts
var ALWAYS_IGNORED = [".git", "**/node_modules", "**/.venv", "**/__pycache__", "**/.DS_Store"];
function markersOf(build2) {
  switch (build2.strategy) {
    case "python":
      return ["pyproject.toml", build2.lock ?? "requirements.txt"];
    case "static-web":
      return ["package.json"];
    case "dockerfile":
      return [build2.file];
  }
}
function isMarked(build2, entries2) {
  return markersOf(build2).some((marker) => entries2.includes(marker.split("/")[0] ?? ""));
}
async function loadSource(context, name4, service2, options) {
  const found = await findSource(context, name4, service2, options);
  const raw = found ?? await fromGit(context, name4, service2);
  const revision = options.revision ?? raw.revision;
  const { directory, hidden } = await buildContext(service2.build, raw.directory);
  const [entries2, tree] = await Promise.all([directory.entries(), hashDirectory(context, directory)]);
  checkEntries(name4, service2.build, entries2);
  const created = options.created === void 0 ? raw.created : parseCreated(options.created);
  return {
    directory,
    hidden,
    entries: entries2,
    hash: tree.hash,
    revision: revision ?? `dev-${tree.hash.slice(0, 12)}`,
    created: created ?? UNKNOWN_TIME,
    modified: created ?? contentDate(tree.hash),
    // What the host says is of its own files, not of a git repository that was read instead.
    uncommitted: found === void 0 ? void 0 : found.uncommitted ?? context.host.uncommitted
  };
}
async function findSource(context, name4, service2, options) {
  const { source: given } = options;
  const { repos } = context;
  const path = service2.source.path ?? `repos/${name4}`;
  if (given === void 0) {
    return repos !== void 0 && await isDirectory(repos, path) ? { directory: repos.directory(path) } : void 0;
  }
  const entries2 = (await given.entries()).map(bare);
  const state = async (below) => options.revision === void 0 && entries2.includes(".git") ? gitState(context, given, below) : {};
  if (await isDirectory(given, path)) return { directory: given.directory(path), ...await state(path) };
  if (isMarked(service2.build, entries2) || !entries2.includes(name4)) {
    return { directory: given, ...await state("") };
  }
  return { directory: given.directory(name4), ...await state(name4) };
}
async function gitState(context, directory, below) {
  if (context.host.local === true) return {};
  try {
    const repository = directory.asGit();
    const changes = repository.uncommitted();
    const [revision, ...changed2] = await Promise.all([
      repository.head().commit(),
      changes.addedPaths(),
      changes.modifiedPaths(),
      changes.removedPaths()
    ]);
    const within3 = (changedPath) => below === "" || `${changedPath}/`.startsWith(`${below}/`);
    const files2 = changed2.flat().filter(within3);
    if (files2.length > 0) return { uncommitted: { changed: files2 } };
    return { revision, created: await createdOf(context, repository.head(), revision) };
  } catch (cause) {
    context.progress.note({ step: "prepare" }, `the source's .git cannot be read: ${errorMessage(cause)}`);
    return { uncommitted: { why: "its .git cannot be read" } };
  }
}
async function createdOf(context, ref, revision) {
  return readCommitTime(context, ref.tree().directory(".git"), revision).catch(() => void 0);
}
async function isDirectory(directory, path) {
  const [first = "", ...rest] = path.split("/");
  const entry = (await directory.entries()).find((candidate) => bare(candidate) === first);
  if (entry === void 0) return false;
  return rest.length === 0 || isDirectory(directory.directory(first), rest.join("/"));
}
async function fromGit(context, name4, service2) {
  const { repository, path = `repos/${name4}` } = service2.source;
  try {
    const head = context.client.git(repository).head();
    const revision = await head.commit();
    const directory = await head.tree().directory(path).sync();
    const created = await createdOf(context, head, revision);
    context.progress.note(
      { step: "prepare", service: name4 },
      `source: ${repository} (${path}) at ${revision}`
    );
    return { directory, revision, created };
  } catch (cause) {
    throw new TgoError(
      "SOURCE",
      `no source for ${name4}: none was given, and ${repository} (${path}) cannot be read`,
      {
        remedy: `Run it in a checkout that has ${path}, or pass --source DIR.`,
        cause
      }
    );
  }
}
async function buildContext(build2, directory) {
  const { file } = build2.strategy === "dockerfile" ? build2 : { file: void 0 };
  const own2 = file === void 0 ? [] : await ignorePatterns(directory, `${file}.dockerignore`);
  const patterns = own2.length === 0 ? await ignorePatterns(directory, ".dockerignore") : own2;
  const filtered = directory.filter({ exclude: [...patterns, ...ALWAYS_IGNORED] });
  if (file === void 0 || !await directory.exists(file) || await filtered.exists(file)) {
    return { directory: filtered, hidden: [] };
  }
  return { directory: filtered.withFile(file, directory.file(file)), hidden: [file] };
}
async function ignorePatterns(directory, file) {
  if (!await directory.exists(file)) return [];
  return (await directory.file(file).contents()).split("\n").map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#")).map((line) => line.replace(/^(!?)\.?\//, "$1"));
}
function checkEntries(name4, build2, entries2) {
  const present = new Set(entries2.map(bare));
  if (present.size === 0) {
    throw new TgoError("SOURCE", `the source of ${name4} is empty`, {
      remedy: "Pass --source DIR with the service's own folder; check its .dockerignore."
    });
  }
  if (isMarked(build2, [...present])) return;
  throw new TgoError("SOURCE", `the source of ${name4} has no ${markersOf(build2)[0] ?? ""}`, {
    where: `strategy ${build2.strategy}`,
    remedy: `Pass --source DIR with the service's own folder, or one that has ${name4} or repos/${name4} in it. Found there: ${[...present].slice(0, 12).join(", ")}.`
  });
}
function bare(entry) {
  return entry.replace(/\/$/, "");
}
var UNKNOWN_TIME = new Date(Date.UTC(1980, 0, 1));
function contentDate(hash) {
  const start = Date.UTC(1980, 0, 1) / 1e3;
  return new Date((start + Number.parseInt(hash.slice(0, 8), 16) % 1e9) * 1e3);
}
function parseCreated(text2) {
  const date4 = new Date(/^\d+$/.test(text2) ? Number(text2) * 1e3 : text2);
  if (!Number.isNaN(date4.getTime())) return date4;
  throw new TgoError("USAGE", `--created "${text2}" is not a time`, {
    remedy: "Use RFC 3339 or seconds since 1970, e.g. $(git log -1 --format=%cI)."
  });
}
function epochSeconds(date4) {
  return Math.floor(date4.getTime() / 1e3);
}

// packages/builders/src/build-request.ts
function fill(template, { name: name4, source, version: version2 }) {
  const facts = {
    service: name4,
    revision: source.revision,
    created: source.created.toISOString().replace(".000Z", "Z"),
    version: version2 ?? source.revision
  };
  return template.replaceAll(
    /\{(service|revision|created|version)\}/g,
    (_, fact) => facts[fact] ?? ""
  );
}
var LAYER_TIME = 315532800;

// packages/builders/src/image-config/users.ts
var NO_LOGIN = "/sbin/nologin";
function withUsers(files2, users) {
  return users.reduce(
    (result, user) => ({ passwd: withUser(result.passwd, user), group: withGroup(result.group, user) }),
    files2
  );
}
function requireUser(user, { passwd }) {
  const [name4 = ""] = user.split(":");
  if (/^\d+$/.test(name4) || entries(passwd).some((entry) => entry[0] === name4)) return;
  throw new TgoError("SOURCE", `the image has no user ${name4}`, {
    where: "image.user",
    remedy: `Add it to image.users with its uid, or write a number.`
  });
}
function withUser(passwd, user) {
  const { name: name4, uid, gid = uid, home } = user;
  const existing = entries(passwd).find((entry) => entry[0] === name4 || entry[2] === `${uid}`);
  if (existing === void 0) return added(passwd, [name4, "x", uid, gid, "", home, NO_LOGIN]);
  const [itsName, , itsUid, itsGid, , itsHome] = existing;
  if (itsName === name4 && itsUid === `${uid}` && itsGid === `${gid}` && itsHome === home) return passwd;
  throw conflict(
    user,
    `the base has the user ${itsName} with uid ${itsUid}, gid ${itsGid} and home ${itsHome}`
  );
}
function withGroup(group, user) {
  const { name: name4, uid, gid = uid } = user;
  const groups = entries(group);
  const sameId = groups.find((entry) => entry[2] === `${gid}`);
  if (sameId !== void 0 && (sameId[0] === name4 || user.gid !== void 0)) return group;
  const other = sameId ?? groups.find((entry) => entry[0] === name4);
  if (other === void 0) return added(group, [name4, "x", gid, ""]);
  throw conflict(user, `the base has the group ${other[0]} with gid ${other[2]}`);
}
function conflict({ name: name4, uid, gid = uid }, found) {
  return new TgoError("SOURCE", `the user ${name4} (uid ${uid}, gid ${gid}) cannot be added: ${found}`, {
    where: "image.users",
    remedy: "Choose another name, uid or gid, or write exactly what the base has."
  });
}
function entries(text2) {
  return text2.split("\n").filter((line) => line !== "").map((line) => line.split(":"));
}
function added(text2, fields) {
  const separator = text2 === "" || text2.endsWith("\n") ? "" : "\n";
  return `${text2}${separator}${fields.join(":")}
`;
}

// packages/builders/src/image-config/configure-image.ts
async function configureImage(request, container) {
  const { image } = request.service;
  let result = await withFiles(request, container);
  if (image.workdir !== void 0) result = result.withWorkdir(image.workdir);
  if (image.user !== void 0) result = result.withUser(image.user);
  if (image.entrypoint !== void 0) result = result.withEntrypoint(image.entrypoint);
  if (image.command !== void 0) result = result.withDefaultArgs(image.command);
  for (const port of image.ports) result = result.withExposedPort(port);
  if (image.healthcheck !== void 0) {
    const { command, interval, timeout, startPeriod, retries } = image.healthcheck;
    result = result.withDockerHealthcheck(command, { interval, timeout, startPeriod, retries });
  }
  for (const [name4, value] of Object.entries(image.env)) {
    result = result.withEnvVariable(name4, fill(value, request));
  }
  for (const [name4, value] of Object.entries({
    ...standardLabels(request),
    ...filled(request, image.labels)
  })) {
    result = result.withLabel(name4, value);
  }
  return result;
}
async function withFiles(request, container) {
  const { service: service2, source, context } = request;
  const { users, directories, links, files: files2, user } = service2.image;
  const named = user !== void 0 && !/^\d/.test(user);
  const before = users.length > 0 || named ? await userFiles(container) : void 0;
  const after = before && withUsers(before, users);
  if (user !== void 0 && after !== void 0) requireUser(user, after);
  const texts = [
    ...after?.passwd === before?.passwd ? [] : [{ path: "/etc/passwd", text: after?.passwd ?? "" }],
    ...after?.group === before?.group ? [] : [{ path: "/etc/group", text: after?.group ?? "" }]
  ];
  if (texts.length + directories.length + links.length + files2.length === 0) return container;
  await requireFiles(request);
  const needed = source.directory.filter({ include: files2.map(({ from }) => from) });
  const tree = await withInstalledFiles(
    context,
    container.rootfs(),
    files2.length === 0 ? context.client.directory() : needed,
    { seconds: epochSeconds(source.modified), directories, links, files: files2, texts }
  );
  return container.withRootfs(tree);
}
async function requireFiles({ name: name4, service: service2, source }) {
  await Promise.all(
    service2.image.files.map(async ({ from }) => {
      if (await source.directory.exists(from)) return;
      throw new TgoError("SOURCE", `${name4} has no ${from}`, {
        where: "image.files",
        remedy: "Add the file to the service's source (check that .dockerignore keeps it), or correct the path."
      });
    })
  );
}
async function userFiles(container) {
  const read3 = async (path) => await container.exists(path) ? container.file(path).contents() : "";
  const [passwd, group] = await Promise.all([read3("/etc/passwd"), read3("/etc/group")]);
  return { passwd, group };
}
function standardLabels(request) {
  const { service: service2, source, version: version2, base } = request;
  const labels = {
    "org.opencontainers.image.title": service2.title,
    "org.opencontainers.image.description": service2.description,
    "org.opencontainers.image.source": service2.source.repository,
    "org.opencontainers.image.revision": source.revision,
    "org.opencontainers.image.created": fill("{created}", request),
    "org.opencontainers.image.version": version2,
    "org.opencontainers.image.base.name": base?.name,
    "org.opencontainers.image.base.digest": base?.digest
  };
  return Object.fromEntries(
    Object.entries(labels).filter((entry) => entry[1] !== void 0)
  );
}
function filled(request, templates) {
  return Object.fromEntries(Object.entries(templates).map(([name4, text2]) => [name4, fill(text2, request)]));
}

// packages/builders/src/dockerfile/parse-dockerfile.ts
function instructionsOf(text2) {
  const lines2 = text2.replace(/^\uFEFF/, "").split(/\r?\n/);
  const escape = escapeCharacter(lines2);
  const found = [];
  for (let at = 0; at < lines2.length; ) {
    const start = at;
    let joined = "";
    for (let more = true; more && at < lines2.length; at++) {
      const line = lines2[at] ?? "";
      if (/^\s*#/.test(line) || at > start && line.trim() === "") {
        if (at === start) break;
        continue;
      }
      const trimmed = line.trimEnd();
      more = trimmed.endsWith(escape);
      joined += more ? trimmed.slice(0, -1) : line;
    }
    if (at === start) at += 1;
    const [, keyword, rest = ""] = /^\s*([A-Za-z]+)(?:\s+(.*))?$/s.exec(joined) ?? [];
    if (keyword === void 0) continue;
    if (/^(?:RUN|COPY|ADD)$/i.test(keyword)) at = behindHereDocuments(rest, lines2, at);
    found.push({ keyword: keyword.toUpperCase(), rest: rest.trim(), lines: [start, at] });
  }
  return found;
}
function escapeCharacter(lines2) {
  for (const line of lines2) {
    const directive = /^#\s*([A-Za-z]+)\s*=\s*(\S+)\s*$/.exec(line);
    if (directive === null) break;
    if (directive[1]?.toLowerCase() === "escape" && directive[2] === "`") return "`";
  }
  return "\\";
}
function behindHereDocuments(rest, lines2, at) {
  let behind2 = at;
  for (const [, tabs, , word] of rest.matchAll(/(?<!<)\d*<<(-?)(["']?)([A-Za-z_]\w*)\2/g)) {
    const ends = (line) => (tabs === "-" ? line.replace(/^\t+/, "") : line) === word;
    const end = lines2.findIndex((line, index) => index >= behind2 && ends(line));
    if (end !== -1) behind2 = end + 1;
  }
  return behind2;
}
function stagesOf(instructions, args) {
  const known = new Map(Object.entries(args).filter(([name4]) => PREDEFINED.test(name4)));
  const stages = [];
  const numberOf = (name4) => {
    const named = stages.findLastIndex((stage) => stage.name === name4.toLowerCase());
    if (named !== -1) return named;
    return /^\d+$/.test(name4) && Number(name4) < stages.length ? Number(name4) : void 0;
  };
  for (const instruction of instructions) {
    const { keyword, rest } = instruction;
    const words = rest.split(/\s+/);
    const last = stages.at(-1);
    if (keyword === "ARG" && last === void 0) declare(known, rest, args);
    else if (keyword === "FROM") {
      const flag = words.find((word) => word.startsWith("--platform="))?.slice("--platform=".length);
      const [base = "", as, name4] = words.filter((word) => !word.startsWith("--"));
      const image = filledIn(unquoted(base), known);
      const parent = image === void 0 ? void 0 : stages.findLastIndex((stage) => stage.name === image.toLowerCase());
      const isStage = parent !== void 0 && parent !== -1;
      stages.push({
        name: as?.toUpperCase() === "AS" ? name4?.toLowerCase() : void 0,
        image: isStage || image === "scratch" ? void 0 : image,
        unknown: image === void 0 || image === "",
        platform: isStage ? stages[parent]?.platform : flag && filledIn(unquoted(flag), known),
        runs: 0,
        needs: isStage ? [parent] : [],
        copies: [],
        parent: isStage ? parent : void 0,
        from: instruction
      });
    } else if (last !== void 0) {
      const sources = sourcesOf(keyword, words).map((name4) => ({ name: name4, number: numberOf(name4) }));
      stages[stages.length - 1] = {
        ...last,
        runs: last.runs + (keyword === "RUN" ? 1 : 0),
        needs: [...last.needs, ...sources.flatMap(({ number: number3 }) => number3 ?? [])],
        copies: [
          ...last.copies,
          ...sources.filter(({ name: name4, number: number3 }) => number3 === void 0 && !name4.includes("$") && name4 !== "scratch").map(({ name: name4 }) => ({ image: name4, at: instruction }))
        ]
      };
    }
  }
  return stages;
}
var PREDEFINED = /^(?:BUILD|TARGET)(?:PLATFORM|OS|ARCH|VARIANT)$/;
function sourcesOf(keyword, words) {
  const flags = words.filter((word) => word.startsWith("--"));
  if (keyword === "COPY") return flags.flatMap((flag) => /^--from=(.+)$/.exec(flag)?.[1] ?? []);
  if (keyword !== "RUN") return [];
  return flags.flatMap((flag) => /^--mount=(?:.*,)?from=([^,]+)/.exec(flag)?.[1] ?? []);
}
function declare(known, rest, args) {
  for (const [, name4 = "", , text2] of rest.matchAll(/([A-Za-z_]\w*)(=((?:"[^"]*"|'[^']*'|[^\s"'])*))?/g)) {
    const given = args[name4];
    const value = given ?? (text2 === void 0 ? known.get(name4) : filledIn(unquoted(text2), known));
    if (value !== void 0) known.set(name4, value);
  }
}
function unquoted(text2) {
  return text2.replaceAll(
    /"([^"]*)"|'([^']*)'/g,
    (_, double, single) => double ?? single ?? ""
  );
}
function filledIn(text2, known) {
  const filled2 = text2.replaceAll(
    /\$\{(\w+)(?::?([-+])([^${}]*))?\}|\$(\w+)/g,
    (_, braced, operator, word, plain) => {
      const value = known.get(braced ?? plain ?? "") ?? "";
      if (operator === "-") return value === "" ? word ?? "" : value;
      if (operator === "+") return value === "" ? "" : word ?? "";
      return value;
    }
  );
  return filled2.includes("$") ? void 0 : filled2;
}
function neededStages(stages, target) {
  const needed = /* @__PURE__ */ new Set();
  const add = (number3) => {
    if (needed.has(number3)) return;
    needed.add(number3);
    stages[number3]?.needs.forEach(add);
  };
  add(target);
  return [...needed].sort((a, b) => a - b);
}
function targetStage(stages, target) {
  if (target === void 0) return stages.length === 0 ? void 0 : stages.length - 1;
  const named = stages.findLastIndex((stage) => stage.name === target.toLowerCase());
  if (named !== -1) return named;
  return /^\d+$/.test(target) && Number(target) < stages.length ? Number(target) : void 0;
}
function imagesOf(stages) {
  return stages.flatMap(({ image, platform: platform2, from, copies }) => [
    ...image === void 0 || image === "" ? [] : [{ image, platform: platform2, at: from }],
    ...copies.map((copy) => ({ ...copy, platform: platform2 }))
  ]);
}
function withImages(text2, images) {
  const lines2 = text2.split("\n");
  const explicit = [...images.keys()].some(({ platform: platform2 }) => platform2 !== void 0);
  for (const [{ image, at }, { address: address2, platform: platform2 }] of images) {
    const [start, end] = at.lines;
    if (at.keyword === "FROM") {
      const words = at.rest.split(/\s+/).filter((word) => !word.startsWith("--platform="));
      const first = words.findIndex((word) => !word.startsWith("--"));
      const flag = explicit ? [`--platform=${platform2}`] : [];
      lines2[start] = ["FROM", ...flag, ...words.with(first, address2)].join(" ");
      lines2.fill("", start + 1, end);
      continue;
    }
    for (let index = start; index < end; index++) {
      lines2[index] = (lines2[index] ?? "").replaceAll(
        /(?<=[\s,=]from=|--from=)[^\s,\\]+/g,
        (word) => word === image ? address2 : word
      );
    }
  }
  return lines2.join("\n");
}

// packages/builders/src/dockerfile/build-dockerfile.ts
function planDockerfile({ name: name4, build: build2, native }, text2, platform2, values) {
  const stages = stagesOf(instructionsOf(text2), {
    ...platformArguments(native),
    ...targetArguments(platform2),
    ...values
  });
  const target = targetStage(stages, build2.target);
  if (target === void 0) {
    const named = stages.flatMap((stage) => stage.name ?? []);
    throw new TgoError(
      "SOURCE",
      build2.target === void 0 ? `${build2.file} of ${name4} has no FROM` : `${build2.file} of ${name4} has no stage "${build2.target}"`,
      { remedy: `Its named stages: ${named.join(", ") || "none"}. Set build.target in the catalog.` }
    );
  }
  const needed = neededStages(stages, target).flatMap((number3) => stages[number3] ?? []);
  const images = imagesOf(needed).flatMap((image) => {
    const reference = fullName(image.image);
    return reference === void 0 ? [] : [{ reference, platform: platformOf(image.platform) ?? platform2, named: image }];
  });
  const root = rootOf(stages, target);
  return {
    platform: platform2,
    images,
    unknown: needed.filter((stage) => stage.unknown).map(({ from }) => `FROM ${from.rest}`),
    base: root?.image === void 0 ? void 0 : fullName(root.image),
    emulated: needed.filter((stage) => (platformOf(stage.platform) ?? platform2) !== native).reduce((sum, stage) => sum + stage.runs, 0)
  };
}
function rootOf(stages, number3) {
  const stage = stages[number3];
  return stage?.parent === void 0 ? stage : rootOf(stages, stage.parent);
}
function fullName(image) {
  try {
    const reference = parseReference(image);
    const tagged = reference.tag === void 0 && reference.digest === void 0 ? { ...reference, tag: "latest" } : reference;
    return BaseImage.safeParse(formatReference(tagged)).data;
  } catch {
    return void 0;
  }
}
function platformOf(text2) {
  const found = /^linux\/(amd64|arm64)(?:\/|$)/.exec(text2 ?? "")?.[1];
  return found === void 0 ? void 0 : `linux/${found}`;
}
function platformArguments(native) {
  return { BUILDPLATFORM: native, BUILDOS: "linux", BUILDARCH: architecture(native), BUILDVARIANT: "" };
}
function targetArguments(platform2) {
  return {
    TARGETPLATFORM: platform2,
    TARGETOS: "linux",
    TARGETARCH: architecture(platform2),
    TARGETVARIANT: ""
  };
}
function architecture(platform2) {
  return platform2.slice(platform2.indexOf("/") + 1);
}
async function readDockerfile(name4, { file }, source) {
  return source.file(file).contents().catch((cause) => {
    throw new TgoError("SOURCE", `the source of ${name4} has no ${file}`, {
      remedy: "Set build.file in the catalog to the Dockerfile's path in the source.",
      cause
    });
  });
}
async function buildDockerfile(request) {
  const { context, name: name4, service: service2, source, platforms, values } = request;
  const { file, target } = service2.build;
  const [text2, secrets] = await Promise.all([
    readDockerfile(name4, service2.build, source.directory),
    buildSecrets(context, name4, service2.build)
  ]);
  const plans = platforms.map(
    (platform2) => planDockerfile({ name: name4, build: service2.build, native: context.native }, text2, platform2, values)
  );
  const notes = plans.flatMap((plan) => emulationNote(plan, file));
  for (const { platform: platform2, note } of notes)
    context.progress.note({ step: "build", service: name4, platform: platform2 }, note);
  const variants2 = await Promise.all(
    plans.map(async (plan) => {
      const { platform: platform2 } = plan;
      const container = withDockerfile(request, await withPinnedImages(context, text2, plan)).dockerBuild({
        dockerfile: PINNED,
        platform: platform2,
        ...target === void 0 ? {} : { target },
        // A list of its own each call: the SDK changes what it is given.
        secrets: [...secrets],
        buildArgs: Object.entries({ ...platformArguments(context.native), ...values }).map(
          ([key2, value]) => ({
            name: key2,
            value
          })
        )
      });
      try {
        return { platform: platform2, container: await configureImage(request, await container.sync()) };
      } catch (error2) {
        throw buildError(
          `building ${name4} from ${file} for ${platform2}`,
          plan.emulated > 0 ? "Run the failing line by hand in the base image; for this platform it ran under emulation." : "Run the failing line by hand in the base image.",
          error2
        );
      }
    })
  );
  return { variants: variants2, notes: notes.map(({ platform: platform2, note }) => `${platform2}: ${note}`) };
}
function emulationNote({ platform: platform2, emulated: emulated2 }, file) {
  if (emulated2 === 0) return [];
  const lines2 = emulated2 === 1 ? "1 RUN line" : `${emulated2} RUN lines`;
  return [{ platform: platform2, note: `${lines2} of ${file} under emulation, which is slow` }];
}
var FOLDER = ".tgo-dockerfile";
var PINNED = `${FOLDER}/Dockerfile`;
function withDockerfile({ source }, text2) {
  const ignored = [FOLDER, ...source.hidden].map((path) => `${path}
`).join("");
  return source.directory.withNewFile(PINNED, text2).withNewFile(`${PINNED}.dockerignore`, ignored);
}
async function withPinnedImages(context, text2, plan) {
  const addresses = await Promise.all(
    plan.images.map(async ({ reference, platform: platform2, named }) => {
      const address2 = await context.bases.address(reference, platform2);
      return [named, { address: address2.replace(/:[\w.-]+@/, "@"), platform: platform2 }];
    })
  );
  return withImages(text2, new Map(addresses));
}
async function buildSecrets({ client, secrets }, name4, { secrets: declared }) {
  if (declared.length === 0) return [];
  const text2 = secrets.build === void 0 ? "" : await secrets.build.plaintext();
  const values = new Map(parseAssignments(text2, "--build-secrets").map((each) => [each.name, each.value]));
  const missing2 = declared.filter((id) => !values.has(id));
  if (missing2.length > 0) {
    throw new TgoError(
      "USAGE",
      `${name4} needs the build secret${missing2.length === 1 ? "" : "s"} ${missing2.join(", ")}`,
      {
        remedy: `Put ${missing2.map((id) => `${id}=value`).join(" and ")} into a file, and pass --build-secrets file:PATH.`
      }
    );
  }
  return declared.map((id) => client.setSecret(id, values.get(id) ?? ""));
}

// packages/builders/src/debian/errors.ts
function packagesError(error2, installation) {
  const failure3 = execFailure(error2);
  if (failure3 === void 0) return buildError(stepName(installation), REMEDY2, error2);
  const { stderr } = failure3;
  return missingNames(stderr, installation) ?? unavailable(stderr, installation) ?? (/No space left on device|enough free space/.test(stderr) ? diskFull(installation) : void 0) ?? wouldRemove(stderr, installation) ?? failedScript(stderr, installation, error2) ?? buildError(stepName(installation), REMEDY2, error2);
}
var REMEDY2 = "The output above is apt's and dpkg's own.";
function stepName({ packages, platform: platform2 }) {
  return `installing ${packages.join(", ")} for ${platform2}`;
}
function missingNames(stderr, { platform: platform2 }) {
  const facts = [...stderr.matchAll(/^tgo: (\S+) (\S+) ?(.*)$/gm)].map(([, key2, name4, value]) => ({
    key: key2,
    name: name4 ?? "",
    value: value ?? ""
  }));
  const values = (key2, name4) => facts.filter((fact) => fact.key === key2 && fact.name === name4).map(({ value }) => value);
  const missing2 = facts.filter(({ key: key2 }) => key2 === "missing").map(({ name: name4 }) => name4);
  if (missing2.length === 0) return void 0;
  const suite = facts.find(({ key: key2 }) => key2 === "suite")?.name ?? "the base's release";
  const elsewhere = missing2.flatMap((name4) => values("elsewhere", name4).map((other) => ({ name: name4, other })));
  const near = missing2.flatMap((name4) => {
    const names2 = values("near", name4);
    return names2.length === 0 ? [] : [`${names2.join(" or ")} instead of ${name4}`];
  });
  const sentences = [
    ...elsewhere.map(
      ({ name: name4, other }) => `${name4} exists for linux/${other} only: leave it out of build.packages, or build with --platform linux/${other}.`
    ),
    ...near.length === 0 ? [] : [`Did you mean ${near.join(", ")}?`],
    ...elsewhere.length === 0 && near.length === 0 ? [`Look the name up at https://packages.debian.org, and correct build.packages.`] : []
  ];
  const names = missing2.join(", ");
  return new TgoError(
    "SOURCE",
    `Debian ${suite} has no package${missing2.length > 1 ? "s" : ""} ${names} for ${platform2}`,
    { where: "build.packages", remedy: sentences.join("\n") }
  );
}
function unavailable(stderr, { mirrors }) {
  const match = /^[EW]: (?:Failed to fetch|The repository '?)\s*(\S+?)'?\s+(.*)$/m.exec(stderr) ?? /^[EW]: (Release file for \S+) (is expired.*)$/m.exec(stderr);
  const [, address2 = "", reason = ""] = match ?? [];
  if (match === null) return void 0;
  const mirrored2 = mirrors.debian !== void 0 || mirrors.debianSecurity !== void 0;
  const certificate = /certificate|TLS|SSL/i.test(reason) ? " Where TLS is inspected, or the base has no certificates, add --ca-bundle FILE." : "";
  return new TgoError("UNAVAILABLE", `the Debian archive cannot be used: ${reason.trim()}`, {
    where: address2.replace("Release file for ", ""),
    remedy: (mirrored2 ? "mirrors.debian and mirrors.debianSecurity of the catalog lead there: check them, or leave them out." : "It is in the base image's apt sources. Where it is out of reach, set mirrors.debian in tgo.catalog.json, e.g. https://mirrors.example.com/debian.") + certificate
  });
}
function diskFull(installation) {
  return new TgoError("ENVIRONMENT", `the disk is full: ${stepName(installation)} failed`, {
    remedy: "Make room for the engine's cache, then run the same command again."
  });
}
function wouldRemove(stderr, installation) {
  if (!stderr.includes("remove is disabled")) return void 0;
  return new TgoError("SOURCE", `${stepName(installation)} would remove packages of the base image`, {
    where: "build.packages",
    remedy: "Choose packages that do not conflict with the base's, or another base."
  });
}
function failedScript(stderr, installation, cause) {
  const name4 = /^dpkg: error processing package (\S+)/m.exec(stderr)?.[1] ?? /^tgo: script (\S+) preinst$/m.exec(stderr)?.[1];
  if (name4 === void 0) return void 0;
  return buildError(
    `an installation script of ${name4} (${stepName(installation)})`,
    "The output above is the package's own. Leave the package out, or install it in a base image of yours.",
    cause
  );
}

// packages/builders/src/debian/fetch.sh
var fetch_default = `# Plans and downloads Debian packages for a root of any architecture, with the apt of this machine's.
# usage: fetch.sh ARCHITECTURE OTHER-ARCHITECTURE PACKAGE...
# In:  /mnt/target       root of the base image (read-only): its package database and apt sources decide
#      /run/tgo/apt      its /etc/apt with other sources, where there are mirrors
#      /var/cache/tgo    cache volume: package lists by sources, packages of all architectures
# Out: /out/debs/*.deb   what is to be installed, checked against the signed lists
#      /out/order        "unpack FILE" and "configure PACKAGE" lines, in the order that apt would give to dpkg
#      /out/auto         packages nobody asked for, as /var/lib/apt/extended_states has them
#      /out/preinst      "PACKAGE FILE ARCHITECTURE": its preinst runs before anything is unpacked
#      /out/target       "FILE": only dpkg in the target itself can unpack it
#      /out/scripts      "PACKAGE": has a postinst, or is unpacked in the target
#      /out/native       for a foreign target: what its shell scripts call most, as programs of this machine
set -eu
export LC_ALL=C.UTF-8
architecture=$1
other=$2
shift 2
target=/mnt/target
etc=/run/tgo/apt
[ -d $etc ] || etc=$target/etc/apt
cache=/var/cache/tgo
archives=$cache/archives
mkdir -p /out/debs "$archives/partial" /tmp/apt
touch /out/order /out/auto /out/preinst /out/target /out/scripts

# One folder of lists for each set of sources; the lists are as large as many a service's packages.
sources=$(cat $etc/sources.list $etc/sources.list.d/* 2>/dev/null | sha256sum | cut -c1-16)

apt() { # ARCHITECTURE COMMAND ARGUMENT...
  lists=$cache/lists/$sources-$1
  for_architecture=$1
  command=$2
  shift 2
  # Set here whatever a base may have set otherwise: official ones keep no caches and have apt delete its downloads.
  "$command" -qq -o APT::Architecture="$for_architecture" -o APT::Architectures="$for_architecture" \\
    -o APT::Install-Recommends=false -o APT::Install-Suggests=false -o APT::Sandbox::User=root \\
    -o APT::Update::Error-Mode=any -o APT::Get::Remove=false -o Acquire::Retries=2 -o Acquire::Languages=none \\
    -o Acquire::GzipIndexes=false -o Acquire::PDiffs=false -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 \\
    -o Debug::NoLocking=true -o Dir::Etc="$etc" -o Dir::State="$lists" -o Dir::State::lists="$lists/lists" \\
    -o Dir::State::status="$target/var/lib/dpkg/status" -o Dir::Cache=/tmp/apt \\
    -o Dir::Cache::archives="$archives" -o Dir::Cache::pkgcache="/tmp/apt/$for_architecture.bin" \\
    -o Dir::Cache::srcpkgcache="$lists/srcpkgcache.bin" \\
    \${SSL_CERT_FILE:+-o Acquire::https::CaInfo="$SSL_CERT_FILE"} "$@"
}

# Builds of several services share the lists: one that was updated within the last minute is as good as new.
update() { # ARCHITECTURE
  state=$cache/lists/$sources-$1
  mkdir -p "$state/lists/partial"
  if [ -z "$(find "$state/updated" -mmin -1 2>/dev/null)" ]; then
    apt "$1" apt-get update
    touch "$state/updated"
  fi
}

# What is wrong with the names asked for, for a message: "tgo: KEY VALUE..." lines.
explain() {
  echo "tgo: suite $(. $target/etc/os-release && echo "\${VERSION_CODENAME:-\${PRETTY_NAME:-}}")"
  apt "$architecture" apt-cache pkgnames >/tmp/names
  for name; do
    # A name without a version is known only because others refer to it.
    if [ -n "$(apt "$architecture" apt-cache madison "$name")" ]; then continue; fi
    echo "tgo: missing $name"
    if update "$other" >/dev/null 2>&1 && [ -n "$(apt "$other" apt-cache madison "$name")" ]; then
      echo "tgo: elsewhere $name $other"
      continue
    fi
    awk -v name="$name" '
      function distance(a, b,   i, j, row, last, up, best) {
        for (j = 0; j <= length(b); j++) row[j] = j
        for (i = 1; i <= length(a); i++) {
          last = row[0]; row[0] = i
          for (j = 1; j <= length(b); j++) {
            up = row[j]
            best = last + (substr(a, i, 1) != substr(b, j, 1))
            if (up + 1 < best) best = up + 1
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1
            row[j] = best; last = up
          }
        }
        return row[length(b)]
      }
      { gap = length($0) - length(name) }
      gap > 2 || gap < -2 || substr($0, 1, 1) != substr(name, 1, 1) { next }
      { d = distance(name, $0) }
      d <= 2 { print d, $0 }' /tmp/names | sort -n | head -n 3 | sed "s/^[0-9]* /tgo: near $name /"
  done
}

exec 9>"$cache/lock-$architecture"
flock 9
update "$architecture"
if ! apt "$architecture" apt-get --yes --simulate install "$@" >/tmp/plan; then
  explain "$@" >&2
  exit 1
fi
# The base has it all.
if ! grep -q '^Inst ' /tmp/plan; then exit 0; fi
# "'URI' FILE SIZE SHA256:HASH", of every file when the archive is empty; the hash is from the signed lists.
apt "$architecture" apt-get --yes --print-uris -o Acquire::ForceHash=SHA256 -o Dir::Cache::archives=/nonexistent \\
  install "$@" | awk '{ sub(/^SHA256:/, "", $4); print $4 "  " $2 }' >/tmp/sums
flock --unlock 9
exec 9>"$cache/lock-archives"
flock 9
(cd "$archives" && sha256sum --check --status /tmp/sums 2>/dev/null) || {
  # apt trusts a file of the right size; a damaged one must not come back with every build.
  (cd "$archives" && sha256sum --check --quiet /tmp/sums 2>/dev/null || true) | sed 's/: FAILED.*//' |
    (cd "$archives" && xargs -r rm -f)
  apt "$architecture" apt-get --yes --download-only install "$@" >/dev/null
}
(cd "$archives" && cut -d' ' -f3 /tmp/sums | xargs -r cp -t /out/debs && cut -d' ' -f3 /tmp/sums | xargs -r touch)
find "$archives" -maxdepth 1 -name '*.deb' -mtime +30 -delete
flock --unlock 9
(cd /out/debs && sha256sum --check --quiet /tmp/sums)

# "Inst NAME [OLD-VERSION] (VERSION ORIGIN... [ARCHITECTURE])", the same with Conf
awk '
  { version = $3 ~ /^\\[/ ? $4 : $3; sub(/^\\(/, "", version); gsub(/:/, "%3a", version)
    match($0, /\\[[a-z0-9-]+\\]\\)/); kind = substr($0, RSTART + 1, RLENGTH - 3) }
  $1 == "Inst" { print "unpack", $2 "_" version "_" kind ".deb", $2, kind, $3 ~ /^\\[/ ? "upgrade" : "new" }
  $1 == "Conf" { print "configure", $2 }' /tmp/plan >/tmp/order

# Which packages have scripts that run before or while they are unpacked?
info=$target/var/lib/dpkg/info
configured=
while read -r verb file package kind state; do
  if [ "$verb" = configure ]; then
    configured=yes
    continue
  fi
  control=/tmp/control/$package
  mkdir -p "$control"
  dpkg-deb --ctrl-tarfile "/out/debs/$file" | tar -x -C "$control"
  if [ -e "$control/postinst" ]; then echo "$package" >>/out/scripts; fi
  [ -e "$control/preinst" ] && before=yes || before=
  # An earlier version, or what it left behind, has a say in how the new one is unpacked.
  if [ "$state" = upgrade ] || [ -e "$info/$package.list" ] || [ -e "$info/$package:$architecture.list" ]; then
    for script in prerm postrm; do
      if [ -e "$info/$package.$script" ] || [ -e "$info/$package:$architecture.$script" ]; then before=target; fi
    done
    if [ "$before" = yes ]; then before=target; fi
  fi
  # Something was configured before this one: it needs that to be ready (Pre-Depends), which is so in the target only.
  if [ "$before" = yes ] && [ -n "$configured" ]; then before=target; fi
  case $before in
    yes) echo "$package $file $kind" >>/out/preinst && mkdir -p /out/control && mv "$control" "/out/control/$package" ;;
    target) echo "$file" >>/out/target && echo "$package" >>/out/scripts ;;
  esac
done </tmp/order
sort -u -o /out/scripts /out/scripts
cut -d' ' -f1-2 /tmp/order >/out/order
for name; do echo "$name"; done >/tmp/asked
awk -v architecture="$architecture" 'NR == FNR { asked[$1] = 1; next }
  $1 == "unpack" && $5 == "new" && !($3 in asked) {
    print "Package: " $3 "\\nArchitecture: " architecture "\\nAuto-Installed: 1\\n" }' /tmp/asked /tmp/order >/out/auto
awk '/^Package: / { name = $2 } /^Version: / && name == "dpkg" { print $2 }' $target/var/lib/dpkg/status >/out/dpkg-version

# Scripts are the same on every machine: with this machine's shell and basic tools, only the programs that they are
# about are emulated. Those that say what machine it is stay the target's, as do those that dpkg may have to replace.
mkdir -p /out/native/bin
if [ "$(dpkg --print-architecture)" != "$architecture" ] && [ ! -s /out/target ] &&
  [ -L /lib ] && [ -L $target/lib ]; then
  for package in coreutils findutils grep sed mawk debianutils; do
    grep -E '^(/usr)?/bin/' "/var/lib/dpkg/info/$package.list"
  done | grep -vE '/(uname|arch|nproc|hostid)$' | while read -r file; do
    if [ -f "$file" ] && [ ! -L "$file" ]; then cp "$file" /out/native/bin; fi
  done
  ln -s mawk /out/native/bin/awk
  for file in /usr/bin/dash /usr/bin/bash /usr/bin/perl; do
    if [ -f $file ] && [ ! -L $file ] && [ -f $target$file ] && [ ! -L $target$file ]; then
      echo $file >>/out/native/interpreters
    fi
  done
  cp -L "$(ldd /bin/sh | awk '$2 != "=>" && /ld-linux/ { print $1 }')" /out/native/loader
fi
`;

// packages/builders/src/debian/finish.sh
var finish_default = `# Runs packages' scripts in the target, emulated where that is foreign.
# usage: finish.sh TIME preinst|configure [native]
# native: this shell is not the target's, see fetch.sh
# In:  /run/tgo/packages  what fetch.sh made
#      /run/tgo/work      an empty folder
set -eu
time=$1
step=$2
packages=/run/tgo/packages
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
# The date of a password's last change, of a font cache and others.
export DEBIAN_FRONTEND=noninteractive SOURCE_DATE_EPOCH="$time"
umask 022
cd /
if [ "\${3:-}" = native ]; then
  # Programs of the target run here only where the kernel knows their emulator; an engine with one of its own runs
  # the whole step with that.
  dpkg --version >/dev/null
  PATH=$packages/native/bin:$PATH
fi
work=/run/tgo/work
# Nothing may be started in an image; official bases say so themselves.
if [ ! -e /usr/sbin/policy-rc.d ]; then
  printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d
  chmod 755 /usr/sbin/policy-rc.d
  touch "$work/policy"
fi
cp -a /var/log "$work/log"
touch "$work/started" && sleep 0.05

# What dpkg gives a script. See dpkg(1), internal environment.
run_preinst() { # PACKAGE ARCHITECTURE
  control=/var/lib/dpkg/tmp.ci
  cp -R "$packages/control/$1" $control
  DPKG_ROOT='' DPKG_ADMINDIR=/var/lib/dpkg DPKG_FORCE='' DPKG_RUNNING_VERSION="\${version%%-*}" \\
    DPKG_MAINTSCRIPT_PACKAGE="$1" DPKG_MAINTSCRIPT_ARCH="$2" DPKG_MAINTSCRIPT_NAME=preinst \\
    DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT=1 DPKG_MAINTSCRIPT_DEBUG=0 $control/preinst install || {
    echo "tgo: script $1 preinst" >&2
    exit 1
  }
  rm -rf $control
}

case $step in
  preinst)
    version=$(cat $packages/dpkg-version)
    while read -r package _ architecture; do run_preinst "$package" "$architecture" </dev/null; done <$packages/preinst
    ;;
  configure)
    set -- --log=/dev/null --force-unsafe-io --force-confdef --force-confold
    # apt's order, in as few calls as it allows; triggers wait for the end.
    sort -u $packages/scripts $packages/target >"$work/here"
    awk 'NR == FNR { here[$1] = 1; next }
      $2 in here { if ($1 != verb) printf "%s%s", verb ? "\\n" : "", $1; verb = $1; printf " %s", $2 }
      END { if (verb) print "" }' "$work/here" $packages/order >"$work/calls"
    cd $packages/debs
    while read -r verb names; do
      dpkg "$@" --no-triggers --auto-deconfigure "--$verb" $names </dev/null
    done <"$work/calls"
    cd /
    dpkg "$@" --configure --pending </dev/null
    dpkg --audit >"$work/audit"
    if [ -s "$work/audit" ]; then cat "$work/audit" >&2 && exit 1; fi
    ;;
esac

# What differs from run to run, or has no use in an image: beyond this, and apt's own lists, logs and caches, the result
# is file by file that of apt-get install in the target. (Also: caches that hold a directory's time have the fixed one,
# bytecode is checked by hash, and what is in extended_states and in dpkg's list of triggers has another order.)
changed() { # PATH FIND-ARGUMENT...
  where=$1
  shift
  if [ -e "$where" ]; then find "$where" -xdev -newer "$work/started" "$@"; fi
}
rm -f /var/lib/dpkg/*-old
changed /var/cache/debconf -name '*-old' -delete
changed /var/cache/ldconfig -type f -delete
changed /tmp -mindepth 1 ! -type d -delete
changed /var/tmp -mindepth 1 ! -type d -delete
changed /run -mindepth 1 ! -type d -delete
# Each machine gets its own when it starts. See machine-id(5)
changed /etc/machine-id -type f -exec truncate -s 0 {} +
changed /var/lib/dbus/machine-id -delete
changed /var/log -type f | while read -r file; do
  if [ -e "$work\${file#/var}" ]; then cp -p "$work\${file#/var}" "$file"; else rm "$file"; fi
done
if [ -e "$work/policy" ]; then rm /usr/sbin/policy-rc.d; fi
# The engine's own: mounted, or given to every command.
find / -xdev -newer "$work/started" ! -path '/run/tgo*' ! -path '/dev*' ! -path '/proc*' ! -path '/sys*' \\
  ! -path /etc/hosts ! -path /etc/resolv.conf ! -path /etc/hostname -print0 |
  xargs -0r touch --no-dereference --date="@$time"
`;

// packages/builders/src/debian/sources.ts
function debianMirror({ debian, debianSecurity }) {
  if (debian === void 0 && debianSecurity === void 0) return void 0;
  const archive = (debian ?? "http://deb.debian.org/debian").replace(/\/+$/, "");
  const beside = SNAPSHOT.test(archive) ? archive.replace("/archive/debian/", "/archive/debian-security/") : `${archive}-security`;
  const security = debianSecurity?.replace(/\/+$/, "") ?? beside;
  return { archive, security, frozen: SNAPSHOT.test(archive) || SNAPSHOT.test(security) };
}
var SNAPSHOT = /\/archive\/debian(-security)?\/\d{8}T\d{6}Z$/;
var SECURITY = /https?:\/\/(?:security\.debian\.org(?:\/debian-security)?|deb\.debian\.org\/debian-security)\/?(?=[\s\]]|$)/g;
var ARCHIVE = /https?:\/\/deb\.debian\.org\/debian\/?(?=[\s\]]|$)/g;
function mirroredSources(name4, text2, mirror) {
  return name4.endsWith(".sources") ? mirroredStanzas(text2, mirror) : mirroredLines(text2, mirror);
}
function mirroredStanzas(text2, mirror) {
  return text2.split("\n").flatMap((line) => {
    if (line.startsWith("#")) return [line];
    const replaced = replaceAddresses(line, mirror);
    const isFrozen = mirror.frozen && replaced !== line && /^URIs:/i.test(line);
    return isFrozen ? [replaced, "Check-Valid-Until: no"] : [replaced];
  }).join("\n");
}
function mirroredLines(text2, mirror) {
  return text2.split("\n").map((line) => {
    if (line.trimStart().startsWith("#")) return line;
    const replaced = replaceAddresses(line, mirror);
    if (replaced === line || !mirror.frozen) return replaced;
    return /^\s*deb(-src)?\s+\[/.test(replaced) ? replaced.replace("[", "[check-valid-until=no ") : replaced.replace(/^(\s*deb(?:-src)?)\s+/, "$1 [check-valid-until=no] ");
  }).join("\n");
}
function replaceAddresses(line, { archive, security }) {
  return line.replaceAll(SECURITY, () => security).replaceAll(ARCHIVE, () => archive);
}

// packages/builders/src/debian/unpack.sh
var unpack_default = `# Unpacks Debian packages into a root of any architecture, running nothing of it.
# usage: unpack.sh TIME   (of whatever would get the present time, seconds since 1970)
# In:  /mnt/target       the root, in which the preinst scripts have run
#      /run/tgo/packages what fetch.sh made
# Out: /out/unfinished   packages that the target must finish: their scripts or triggers are pending
set -eu
export LC_ALL=C.UTF-8
time=$1
target=/mnt/target
info=$target/var/lib/dpkg/info
packages=/run/tgo/packages
mkdir -p /out /tmp/debs
touch /tmp/started && sleep 0.05

# A package without its preinst, which has run. The members of the ar archive, each after a header of 60 bytes and at
# an even offset: debian-binary (4 bytes), control, data. See deb(5).
without_preinst() { # FILE
  deb=$packages/debs/$1
  rm -rf /tmp/control
  dpkg-deb --control "$deb" /tmp/control
  rm /tmp/control/preinst
  tar --sort=name --owner=0 --group=0 --numeric-owner -C /tmp/control -cf /tmp/control.tar .
  size=$(head -c 130 "$deb" | tail -c 10)
  {
    head -c 72 "$deb"
    # tar writes whole records, so this size is even.
    printf '%-16s%-12s%-6s%-6s%-8s%-10s\`\\n' control.tar 0 0 0 100644 "$(stat -c %s /tmp/control.tar)"
    cat /tmp/control.tar
    tail -c +$((72 + 60 + size + size % 2 + 1)) "$deb"
  } >"/tmp/debs/$1"
}
while read -r _ file _; do without_preinst "$file"; done <$packages/preinst

# Dependencies are apt's business, which has ordered all this; where an old version is in the way, its new one comes.
run_dpkg() {
  xargs -r dpkg --root=$target --log=/dev/null --force-architecture --force-unsafe-io --force-depends \\
    --force-breaks --force-conflicts --force-confdef --force-confold --no-triggers "$@" >/dev/null
}
sed -n 's/^unpack //p' $packages/order | { grep -vxFf $packages/target || true; } | while read -r file; do
  if [ -e "/tmp/debs/$file" ]; then echo "/tmp/debs/$file"; else echo "$packages/debs/$file"; fi
done | run_dpkg --unpack
while read -r package _ architecture; do
  script=$info/$package.preinst
  if [ -e "$info/$package:$architecture.list" ]; then script=$info/$package:$architecture.preinst; fi
  cp $packages/control/"$package"/preinst "$script"
  chmod 755 "$script"
done <$packages/preinst
sed -n 's/^configure //p' $packages/order | { grep -vxFf $packages/scripts || true; } | run_dpkg --configure

if [ -s $packages/auto ]; then cat $packages/auto >>$target/var/lib/apt/extended_states; fi
awk '/^Package: / { name = $2 }
  /^Status: / && !/ (installed|config-files|not-installed)$/ { print name }' \\
  $target/var/lib/dpkg/status | sort -u >/out/unfinished
rm -f $target/var/lib/dpkg/*-old
# Files keep the times that their packages give them; what was made here has the present one.
find $target -xdev -newer /tmp/started -print0 | xargs -0r touch --no-dereference --date="@$time"
`;

// packages/builders/src/debian/install-packages.ts
var TARGET = "/mnt/target";
var PACKAGES = "/run/tgo/packages";
async function withSystemPackages(request, { platform: platform2, container: base }) {
  const { context, service: service2 } = request;
  const packages = [...new Set(service2.build.packages)].sort();
  if (packages.length === 0) return { container: base, notes: [] };
  await requireApt(base, service2.build.base);
  try {
    return await install(request, { platform: platform2, container: base }, packages);
  } catch (error2) {
    throw packagesError(error2, { packages, platform: platform2, mirrors: context.catalog.mirrors });
  }
}
async function requireApt(base, reference) {
  if (await base.exists("/usr/bin/apt-get")) return;
  const alpine = await base.exists("/etc/alpine-release");
  throw new TgoError("SOURCE", `the base image has no apt${alpine ? ": it is Alpine" : ""}`, {
    where: reference,
    remedy: "build.packages are Debian packages: choose a base made from Debian (its tag often ends with -slim or -bookworm), or leave build.packages empty."
  });
}
async function install({ context, service: service2 }, { platform: platform2, container: base }, packages) {
  const native = await baseImage(context, service2.build.base, context.native);
  const fetched = (await fetching(context, native, base)).withMountedDirectory(TARGET, base.rootfs(), { readOnly: true }).withNewFile("/run/tgo/fetch.sh", fetch_default).withExec(["sh", "/run/tgo/fetch.sh", ...architectures(platform2), ...packages]).directory("/out");
  const [order2 = [], preinst = [], scripts = []] = await Promise.all(
    ["order", "preinst", "scripts"].map((file) => namesIn(fetched, file))
  );
  if (order2.length === 0) return { container: base, notes: [] };
  const finishing = { context, base, native, fetched };
  const prepared = preinst.length === 0 ? base.rootfs() : await finish(finishing, base.rootfs(), "preinst");
  const unpacked = native.withMountedDirectory(TARGET, prepared).withMountedDirectory(PACKAGES, fetched, { readOnly: true }).withNewFile("/run/tgo/unpack.sh", unpack_default).withExec(["sh", "/run/tgo/unpack.sh", `${LAYER_TIME}`]);
  const unfinished = await namesIn(unpacked.directory("/out"), "unfinished");
  const result = unpacked.directory(TARGET);
  if (unfinished.length === 0) return { container: base.withRootfs(result), notes: [] };
  const container = base.withRootfs(await finish(finishing, result, "configure"));
  const names = [.../* @__PURE__ */ new Set([...preinst, ...scripts])].sort();
  const isTold = platform2 !== context.native && names.length > 0;
  return {
    container,
    notes: isTold ? [
      `${platform2}: installation scripts of ${names.join(", ")} ran, and what they call of it was emulated`
    ] : []
  };
}
async function fetching(context, native, base) {
  const container = withCaBundle(context, native).withMountedCache(
    "/var/cache/tgo",
    context.client.cacheVolume("tgo-apt")
  );
  const mirror = debianMirror(context.catalog.mirrors);
  if (mirror === void 0) return container;
  let etc = base.directory("/etc/apt");
  for (const path of [...await etc.glob("sources.list"), ...await etc.glob("sources.list.d/*")]) {
    etc = etc.withNewFile(path, mirroredSources(path, await etc.file(path).contents(), mirror));
  }
  return container.withMountedDirectory("/run/tgo/apt", etc, { readOnly: true });
}
async function finish(finishing, tree, step) {
  const { context, base, native, fetched } = finishing;
  const target = base.withRootfs(tree).withUser("root").withWorkdir("/");
  const run3 = (container, ...options) => container.withMountedFile("/run/tgo/finish.sh", textFile(context, "finish.sh", finish_default)).withMountedDirectory(PACKAGES, fetched, { readOnly: true }).withMountedDirectory("/run/tgo/work", context.client.directory()).withExec(["sh", "/run/tgo/finish.sh", `${LAYER_TIME}`, step, ...options]).sync();
  if (!await fetched.exists("native/interpreters")) return (await run3(target)).rootfs();
  const { libraries, loader } = RUNTIME[context.native];
  const mixed = (await namesIn(fetched, "native/interpreters")).reduce(
    (container, path) => container.withMountedFile(path, native.file(path)),
    context.client.container({ platform: context.native }).withRootfs(tree).withMountedDirectory(libraries, native.directory(libraries), { readOnly: true }).withMountedFile(loader, fetched.file("native/loader"))
  );
  const finished = await run3(mixed, "native").catch((error2) => {
    if (execFailure(error2) === void 0) throw error2;
    return run3(target);
  });
  return finished.rootfs();
}
var RUNTIME = {
  "linux/amd64": { libraries: "/usr/lib/x86_64-linux-gnu", loader: "/lib64/ld-linux-x86-64.so.2" },
  "linux/arm64": { libraries: "/usr/lib/aarch64-linux-gnu", loader: "/lib/ld-linux-aarch64.so.1" }
};
function textFile({ client }, name4, text2) {
  return client.directory().withNewFile(name4, text2).file(name4);
}
function architectures(platform2) {
  return platform2 === "linux/arm64" ? ["arm64", "amd64"] : ["amd64", "arm64"];
}
async function namesIn(directory, file) {
  const text2 = await directory.file(file).contents();
  return text2.split("\n").filter((line) => line !== "").map((line) => line.split(" ")[0] ?? "");
}

// packages/builders/src/python/activate.ts
async function activateEnvironment({ service: service2 }, container, environments, platform2) {
  const target = service2.build.environment;
  const path = await container.envVariable("PATH");
  return container.withDirectory(target, environments.common).withDirectory(target, environments.of(platform2)).withEnvVariable("PATH", `${target}/bin:${path === "" ? "/usr/local/bin:/usr/bin:/bin" : path}`).withEnvVariable("VIRTUAL_ENV", target);
}

// packages/builders/src/python/application.py
var application_default = '"""Compiles and stamps the application. usage: application.py ROOT TIME  (TIME: seconds since 1970)"""\n\nimport sys\n\nfrom layer import compile_bytecode, stamp\n\nroot, time = sys.argv[1:]\ncompile_bytecode(root, root)\nstamp(root, int(time))\n';

// packages/builders/src/python/build.py
var build_default = `"""Builds one source archive into a wheel, and proves that the wheel is for the machine it was built for.

Writes OUT/wheels/*.whl and OUT/built.json: {kind: pure | compiled, wheel}. The source lies at a fixed path, clocks are
fixed, nothing of an earlier build is seen: the same archive and tools give the same wheel.
"""

import argparse
import json
import os
import subprocess
import sys
import sysconfig

from index import flags
from problem import Problem, last_lines, telling
from sdist import unpack
from verify import verify

EPOCH = "315532800"  # 1980: the earliest time that a zip archive can hold
FLAGS = "-O2 -g0 -ffile-prefix-map=/build=."


def target_environment(machine, prefix, sysroot):
    """
    What setuptools must be told to build for another machine. All of them: with less, code of one machine lands in
    wheels or file names of the other.
    """
    suffix = f".cpython-{sys.version_info.major}{sys.version_info.minor}-{machine}-linux-gnu.so"
    headers = "/mnt/target" + sysconfig.get_path("include")
    root = f" --sysroot={sysroot}" if sysroot else ""
    return {
        "CC": f"{prefix}gcc{root}",
        "CXX": f"{prefix}g++{root}",
        "LDSHARED": f"{prefix}gcc{root} -shared",
        "LDCXXSHARED": f"{prefix}g++{root} -shared",
        "AR": f"{prefix}ar",
        "_PYTHON_HOST_PLATFORM": f"linux-{machine}",
        "SETUPTOOLS_EXT_SUFFIX": suffix,
        "CFLAGS": f"-I{headers} {FLAGS}" if prefix else FLAGS,
        "PKG_CONFIG_LIBDIR": f"{sysroot}/usr/lib/{machine}-linux-gnu/pkgconfig:{sysroot}/usr/share/pkgconfig",
        "PKG_CONFIG_SYSROOT_DIR": sysroot,
    }


def constraints(source, path):
    """Pinned build backends, less those that the package itself wants other versions of; their names are returned."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        import tomllib
    except ModuleNotFoundError:  # before Python 3.11
        import tomli as tomllib
    project = os.path.join(source, "pyproject.toml")
    wants = {}
    if os.path.exists(project):
        with open(project, "rb") as file:
            for text in tomllib.load(file).get("build-system", {}).get("requires", []):
                try:
                    requirement = Requirement(text)
                except InvalidRequirement:
                    continue
                wants[requirement.name.lower().replace("_", "-")] = requirement.specifier
    kept, free = [], []
    with open(path) as file:
        for line in file:
            name, version = line.split(";")[0].strip().split("==")
            fits = name not in wants or wants[name].contains(version, prereleases=True)
            (kept if fits else free).append(line if fits else name)
    with open("/tmp/constraints.txt", "w") as file:
        file.writelines(kept)
    return "/tmp/constraints.txt", free


def build(options, source, indexes):
    pins, free = constraints(source, options.constraints)
    fixed = {"SOURCE_DATE_EPOCH": EPOCH, "PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    if options.machine:
        fixed |= target_environment(options.machine, options.prefix, options.sysroot)
    wheels = os.path.join(options.out, "wheels")
    command = ["uv", "build", "--wheel", "--no-config", "--no-python-downloads", "--python", sys.executable]
    command += ["--cache-dir", "/tmp/uv", "--build-constraints", pins, *flags(indexes, options.pypi)]
    done = subprocess.run(
        [*command, "--out-dir", wheels, source], capture_output=True, text=True, env={**os.environ, **fixed}
    )
    if done.returncode != 0:
        said = last_lines(done.stdout + done.stderr, 20)
        raise Problem("BUILD", f"{options.name} cannot be built from source\\n{said}")
    return os.path.join(wheels, next(name for name in os.listdir(wheels) if name.endswith(".whl"))), free


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--archive", required=True)
    parser.add_argument("--name", required=True, help="NAME VERSION")
    parser.add_argument("--out", required=True)
    parser.add_argument("--constraints", required=True)
    parser.add_argument("--indexes", required=True, help="JSON")
    parser.add_argument("--pypi")
    parser.add_argument("--machine", help="as in platform.machine(); without it the wheel must be pure")
    parser.add_argument("--prefix", default="", help="of the compiler, e.g. aarch64-linux-gnu-")
    parser.add_argument("--sysroot", default="", help="folder with the target's headers and libraries")
    options = parser.parse_args()
    source = f"/build/{options.name.replace(' ', '-')}"
    unpack(options.archive, source)
    wheel, free = build(options, source, json.loads(options.indexes))
    kind = verify(wheel, options.machine)
    with open(os.path.join(options.out, "built.json"), "w") as file:
        json.dump({"kind": kind, "wheel": os.path.basename(wheel), "unpinned": free}, file)


if __name__ == "__main__":
    telling(main)
`;

// packages/builders/src/python/environment.py
var environment_default = `"""Installs chosen wheels for several platforms at once, natively, and keeps apart what they share.

Writes OUT/common (the same on every platform, with bytecode) and OUT/<platform> for the rest. Nothing of a foreign
platform is run: uv takes wheels by platform tag, and bytecode is the same on every machine.
"""

import argparse
import concurrent.futures
import filecmp
import json
import os
import shutil
import subprocess
import sys

from fetch import fetch
from layer import compile_bytecode, stamp
from problem import Problem, last_lines, telling

# On the same file system as the result: unpacked wheels become hard links there, and are never copied.
UNPACKED = "/tmp/uv"


def install(wheels, prefix, environment, tag, work):
    """Installs wheels (paths) below prefix, with console scripts that name the environment's own Python."""
    os.makedirs(prefix, exist_ok=True)
    if not wheels:
        return
    links = os.path.join(work, "links")
    os.makedirs(links)
    pins = []
    for path in wheels:
        name, version = os.path.basename(path).split("-")[:2]
        os.symlink(path, os.path.join(links, os.path.basename(path)))
        pins.append(f"{name}=={version}\\n")
    requirements = os.path.join(work, "requirements.txt")
    with open(requirements, "w") as file:
        file.writelines(sorted(pins))
    command = ["uv", "pip", "install", "--quiet", "--no-config", "--offline", "--no-deps", "--no-index"]
    command += ["--find-links", links, "--only-binary", ":all:", "--link-mode", "hardlink", "--cache-dir", UNPACKED]
    command += ["--python", f"{environment}/bin/python", "--prefix", prefix, "--python-platform", tag]
    # Nothing of the installation itself in the result: uv would write the time of its own files there.
    quiet = {**os.environ, "UV_NO_INSTALLER_METADATA": "1"}
    done = subprocess.run([*command, "--requirements", requirements], stderr=subprocess.PIPE, text=True, env=quiet)
    if done.returncode != 0:
        raise Problem("BUILD", f"the packages for {tag} cannot be installed\\n{last_lines(done.stderr)}")
    os.remove(os.path.join(prefix, ".lock"))


def entries(root):
    """Relative paths of files and links below root, in order."""
    found = []
    for folder, directories, files in os.walk(root):
        links = [name for name in directories if os.path.islink(os.path.join(folder, name))]
        found += [os.path.relpath(os.path.join(folder, name), root) for name in files + links]
    return sorted(found)


def same(first, second):
    if os.path.islink(first) or os.path.islink(second):
        return os.path.islink(first) and os.path.islink(second) and os.readlink(first) == os.readlink(second)
    modes_equal = os.stat(first).st_mode == os.stat(second).st_mode
    return modes_equal and filecmp.cmp(first, second, shallow=False)


def share(roots, common):
    """Moves what all roots have in common."""
    first, *others = roots
    for path in entries(first):
        copies = [os.path.join(root, path) for root in others]
        if all(os.path.lexists(copy) and same(os.path.join(first, path), copy) for copy in copies):
            target = os.path.join(common, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.rename(os.path.join(first, path), target)
            for copy in copies:
                os.remove(copy)
    for root in roots:
        for folder, _, _ in os.walk(root, topdown=False):
            if not os.listdir(folder) and folder != root:
                os.rmdir(folder)


def create(environment, common, skeleton):
    """The virtual environment that packages are installed for; in the result only when it is asked for."""
    shutil.rmtree(environment, ignore_errors=True)
    command = ["uv", "venv", "--quiet", "--no-config", "--no-python-downloads"]
    command += ["--python", sys._base_executable, environment]
    subprocess.run(command, check=True)
    for name in (".lock", ".gitignore", "CACHEDIR.TAG"):
        if os.path.exists(os.path.join(environment, name)):
            os.remove(os.path.join(environment, name))
    if skeleton:
        shutil.copytree(environment, common, symlinks=True)
    else:
        os.makedirs(common)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--plan", help="plan.json: wheels to download and install")
    parser.add_argument("--built", action="append", default=[], help="NAME=FOLDER of built wheels; shared or platform")
    parser.add_argument("--skeleton", action="store_true", help="with the virtual environment itself")
    parser.add_argument("--environment", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--cache", required=True, help="folder of downloads")
    parser.add_argument("--time", type=int, required=True, help="of every file, seconds since 1970")
    parser.add_argument("--platform", action="append", required=True, metavar="NAME=TAG")
    options = parser.parse_args()
    platforms = dict(pair.split("=", 1) for pair in options.platform)
    common = os.path.join(options.out, "common")
    create(options.environment, common, options.skeleton)
    sets = {}
    if options.plan:
        with open(options.plan) as file:
            sets = json.load(file)["sets"]
    built = {}
    for pair in options.built:
        name, folder = pair.split("=", 1)
        wheels = [file for file in os.listdir(folder) if file.endswith(".whl")]
        built.setdefault(name, []).extend(os.path.join(folder, file) for file in wheels)

    def fill(name):
        wheels = [*fetch(sets.get(name, []), options.cache), *built.get(name, [])]
        prefix = common if name == "shared" else os.path.join(options.out, name)
        tag = platforms.get(name, next(iter(platforms.values())))
        install(wheels, prefix, options.environment, tag, os.path.join("/tmp/install", name))

    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(fill, ["shared", *platforms]))
    shutil.rmtree(UNPACKED, ignore_errors=True)
    shutil.rmtree(options.environment)
    roots = [os.path.join(options.out, name) for name in platforms]
    if len(roots) > 1:
        share(roots, common)
    for root in [common, *roots]:
        compile_bytecode(root, options.environment)
        stamp(root, options.time)
    print(json.dumps({name: len(entries(os.path.join(options.out, name))) for name in ["common", *platforms]}))


if __name__ == "__main__":
    telling(main)
`;

// packages/builders/src/python/fetch.py
var fetch_default2 = `"""Downloads of locked files into a folder by hash: what is there is right, whoever put it there."""

import concurrent.futures
import hashlib
import os
import tempfile
import threading

import requests
from problem import Problem
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

CONNECTIONS = 12
# One for all that fetch at the same time: with as many more look-ups of the same name, a name server was seen to lose
# some, which costs five seconds each.
_pool = concurrent.futures.ThreadPoolExecutor(CONNECTIONS)
_sessions = threading.local()


def fetch(files, cache):
    """Paths of files ({file, url, sha256, size}) in the cache, in order; what is missing is downloaded."""
    largest_first = sorted(files, key=lambda file: -(file.get("size") or 0))
    pending = [_pool.submit(_one, file, cache) for file in largest_first]
    try:
        for download in pending:
            download.result()
    except BaseException:
        for download in pending:
            download.cancel()
        raise
    return [_path(file, cache) for file in files]


def _path(file, cache):
    return os.path.join(cache, file["sha256"], file["file"])


def _one(file, cache):
    path = _path(file, cache)
    if os.path.exists(path) and _digest(path) == file["sha256"]:
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".partial-")
    try:
        with os.fdopen(handle, "wb") as out:
            found = _download(file["url"], out)
        if found != file["sha256"]:
            raise _changed(file, found)
        os.rename(partial, path)
    except requests.HTTPError as error:
        raise _refused(file, error.response.status_code)
    except requests.RequestException as error:
        raise _unreachable(file, error)
    finally:
        if os.path.exists(partial):
            os.remove(partial)


def _download(url, out):
    digest = hashlib.sha256()
    with _session().get(url, stream=True, timeout=(15, 60)) as answer:
        answer.raise_for_status()
        for chunk in answer.iter_content(1 << 20):
            digest.update(chunk)
            out.write(chunk)
    return digest.hexdigest()


def _digest(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            digest.update(chunk)
    return digest.hexdigest()


def _session():
    """One for each thread: connections are kept, faults that may pass are tried again, .netrc is used."""
    if not hasattr(_sessions, "session"):
        _sessions.session = requests.Session()
        retries = Retry(total=4, backoff_factor=0.5, status_forcelist=(429, 500, 502, 503, 504))
        for scheme in ("http://", "https://"):
            _sessions.session.mount(scheme, HTTPAdapter(max_retries=retries))
    return _sessions.session


def _title(file):
    return f"{file['name']} {file['version']}"


def _changed(file, found):
    what = f"{_title(file)}: the index has other bytes for {file['file']} than the lock names"
    remedy = "Do not build from it before you know why. If the change is meant: lock again and commit."
    return Problem("BUILD", f"{what} (sha256 {found}, locked {file['sha256']})", file["url"], remedy)


def _refused(file, status):
    if status in (401, 403):
        remedy = "Give the index's credentials: --netrc file:$HOME/.netrc."
        return Problem("UNAUTHORIZED", f"{_title(file)} cannot be downloaded: HTTP {status}", file["url"], remedy)
    remedy = "The file may have been removed: lock a version that is still there. Behind a mirror: check mirrors.pypi."
    return Problem("BUILD", f"{_title(file)} cannot be downloaded: HTTP {status}", file["url"], remedy)


def _unreachable(file, error):
    remedy = "Check the network. Where this address is out of reach, set mirrors.pypi in tgo.catalog.json, or pass "
    remedy += "--mirror pypi=URL. Behind a proxy that inspects TLS: --ca-bundle FILE."
    return Problem("UNAVAILABLE", f"{_title(file)} cannot be downloaded: {error}", file["url"], remedy)
`;

// packages/builders/src/python/index.py
var python_default = `"""Asks the package index, through uv, which files there are of every locked package."""

import json
import os
import re
import subprocess

from problem import Problem, last_lines

try:
    import tomllib
except ModuleNotFoundError:  # before Python 3.11
    import tomli as tomllib

PYPI = "https://pypi.org/simple"


def flags(indexes, pypi):
    """Index options of uv; the mirror stands in for PyPI and nothing else."""
    options = ["--default-index", indexes["default"] or pypi or PYPI]
    for url in indexes["extra"]:
        options += ["--index", url]
    # Every file is known by its hash: which index it comes from decides nothing.
    return [*options, "--index-strategy", "unsafe-best-match"]


def locked_hashes(requirements):
    """sha256 of every file the lock allows, by (name, version)."""
    allowed = {}
    for line in re.sub(r"\\\\\\n", " ", requirements).splitlines():
        pin = re.match(r"([\\w.-]+)(?:\\[[^\\]]*\\])?\\s*===?\\s*([^\\s;]+)", line)
        if pin is not None:
            found = re.findall(r"--hash[=\\s]sha256:([0-9a-f]{64})", line)
            allowed.setdefault((canonical(pin[1]), pin[2]), set()).update(found)
    return allowed


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def look_up(requirements, indexes, pypi, work):
    """Packages of a set of requirements as pylock.toml has them (PEP 751), and what uv warned of."""
    pylock = os.path.join(work, "pylock.toml")
    command = ["uv", "pip", "compile", "--no-config", "--universal", "--no-deps", "--generate-hashes"]
    command += ["--format", "pylock.toml", "--output-file", pylock, *flags(indexes, pypi), requirements]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise _failure(done.stderr, indexes, pypi)
    with open(pylock, "rb") as file:
        packages = tomllib.load(file).get("packages", [])
    yanked = re.findall(r"^warning: \`(\\S+)==(\\S+)\` is yanked(?: \\(reason: (.*)\\))?$", done.stderr, re.MULTILINE)
    return packages, [_withdrawn(*found) for found in yanked]


def _withdrawn(name, version, reason):
    """A lock may still name such a version (PEP 592): told, not refused."""
    text = json.loads(reason) if reason.startswith('"') else reason
    return f"{name} {version} was withdrawn (yanked) by its authors: {text or 'no reason given'}"


def files_of(package):
    """Its sdist and its wheels as {name, version, file, url, sha256, size}."""
    entries = [package["sdist"]] if "sdist" in package else []
    entries += package.get("wheels", [])
    entries += [package["archive"]] if "archive" in package else []
    return [_file(package, entry) for entry in entries if "url" in entry]


def _file(package, entry):
    name = entry.get("name") or re.sub(r"[?#].*", "", entry["url"]).rsplit("/", 1)[1]
    facts = {"name": package["name"], "version": package.get("version", ""), "file": name.replace("%2B", "+")}
    return {**facts, "url": entry["url"], "sha256": entry["hashes"].get("sha256"), "size": entry.get("size", 0)}


def _failure(said, indexes, pypi):
    url = re.search(r"Failed to fetch: \`?([^\\s\`]+)", said)
    gone = re.search(r"there is no version of (\\S+?)==(\\S+)", said)
    unknown = re.search(r"Because (\\S+) was not found in", said)
    mirror = f"mirrors.pypi (or --mirror pypi=URL) leads to {pypi}" if pypi else "PyPI itself was asked"
    if re.search(r"40[13]|credentials", said) and url is not None:
        remedy = "Give the index's credentials: --netrc file:$HOME/.netrc."
        return Problem("UNAUTHORIZED", f"the package index refuses\\n{last_lines(said)}", url[1], remedy)
    if gone is not None or unknown is not None:
        name = f"{gone[1]} {gone[2].rstrip(',')}" if gone is not None else unknown[1]
        remedy = f"It was removed, or the index does not have it ({mirror}). Lock a version that is there: "
        remedy += "pip index versions NAME lists them."
        where = ", ".join([indexes["default"] or pypi or PYPI, *indexes["extra"]])
        return Problem("BUILD", f"{name} is not on the package index", where, remedy)
    if url is not None:
        remedy = f"Check the network and the address: {mirror}. Where PyPI is out of reach, set mirrors.pypi in "
        remedy += "tgo.catalog.json. Behind a proxy that inspects TLS: --ca-bundle FILE."
        return Problem("UNAVAILABLE", f"the package index does not answer\\n{last_lines(said)}", url[1], remedy)
    what = f"the locked packages cannot be looked up\\n{last_lines(said)}"
    return Problem("BUILD", what, None, "The words above are uv's own.")
`;

// packages/builders/src/python/layer.py
var layer_default = '"""What every layer of Python files gets: bytecode, and one time for every entry."""\n\nimport os\nimport subprocess\nimport sys\n\n\ndef compile_bytecode(root, path):\n    """\n    Bytecode that is never checked against a file time; `path` is where root will be in the image, as tracebacks name\n    it. Packages ship templates that are no Python: tolerated.\n    """\n    command = [sys.executable, "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash"]\n    subprocess.run([*command, "-s", root, "-p", path, root], stdout=subprocess.DEVNULL)\n\n\ndef stamp(root, time):\n    """One time (seconds since 1970) for every entry; a link\'s own, not its target\'s."""\n    for folder, directories, files in os.walk(root):\n        for name in directories + files:\n            os.utime(os.path.join(folder, name), (time, time), follow_symlinks=False)\n    os.utime(root, (time, time))\n';

// packages/builders/src/python/lock.py
var lock_default = `"""Checks a lock against its project, and writes its packages as one set of hashed requirements.

usage: lock.py LOCK OUT GROUP...   in a folder with pyproject.toml and the lock.
Writes OUT/requirements.txt, and OUT/indexes.json: the indexes the project names beside or instead of PyPI.
"""

import json
import os
import re
import sys

from problem import Problem, telling
from project import read_toml


def require_indexed(requirements, lock):
    """Only what an index has is fetched with a hash: no git repositories, no folders."""
    for line in requirements.splitlines():
        if re.match(r"-e |\\.|file:|[\\w.-]+(\\[[\\w,.-]+\\])? *@ *(git\\+|hg\\+|svn\\+|bzr\\+|file:)", line):
            name = line.split(";")[0].strip()
            remedy = "Depend on a released version from a package index, or ship the code with the service's source."
            raise Problem("SOURCE", f"{name} has no hash: it comes from a repository or a folder", lock, remedy)


def main():
    lock, out, *groups = sys.argv[1:]
    project = read_toml("pyproject.toml") if os.path.exists("pyproject.toml") else {}
    if lock == "poetry.lock":
        from lock_poetry import export
    elif lock == "uv.lock":
        from lock_uv import export
    else:
        from lock_file import export
    requirements, indexes = export(project, lock, groups)
    require_indexed(requirements, lock)
    os.makedirs(out, exist_ok=True)
    with open(os.path.join(out, "requirements.txt"), "w") as file:
        file.write(requirements)
    with open(os.path.join(out, "indexes.json"), "w") as file:
        json.dump(indexes, file)


telling(main)
`;

// packages/builders/src/python/lock_file.py
var lock_file_default = `"""A requirements file with hashes; the pipeline has checked its lines already."""

from project import require_python, split_options, table
from packaging.specifiers import SpecifierSet
from problem import Problem


def export(project, lock, groups):
    if groups != ["main"]:
        remedy = "Lock with Poetry or uv, or name another file in build.lock, and remove build.groups."
        raise Problem("SOURCE", f"a requirements file has no dependency groups ({', '.join(groups)})", lock, remedy)
    python = table(project, "project").get("requires-python")
    require_python(python, lambda text, version: SpecifierSet(text).contains(version, prereleases=True))
    with open(lock, encoding="utf-8") as file:
        return split_options(file.read())
`;

// packages/builders/src/python/lock_poetry.py
var lock_poetry_default = `"""poetry.lock, through Poetry's own exporter; run with the Python that Poetry is installed for."""

import os
import subprocess
import sys

from project import read_toml, require_groups, require_python, split_options, table
from problem import Problem, last_lines


def allows(text, version):
    from poetry.core.constraints.version import Version, parse_constraint

    return parse_constraint(text).allows(Version.parse(version))


def export(project, lock, groups):
    read_toml(lock)
    poetry = table(project, "tool", "poetry")
    known = [*table(poetry, "group"), *table(project, "dependency-groups")]
    require_groups(groups, known + (["dev"] if "dev-dependencies" in poetry else []))
    python = table(poetry, "dependencies").get("python", table(project, "project").get("requires-python"))
    require_python(python, allows)
    command = [sys.executable, "-m", "poetry", "export", "--no-interaction", "--no-ansi", "--only", ",".join(groups)]
    # It looks for nothing but the two files; a folder of its own keeps it from the user's settings.
    environment = {**os.environ, "POETRY_CONFIG_DIR": "/tmp/poetry", "POETRY_VIRTUALENVS_CREATE": "false"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode == 0:
        return split_options(done.stdout)
    said = done.stderr + done.stdout
    if "changed significantly" in said or "is not up to date" in said:
        what, remedy = "it does not match pyproject.toml", "Run poetry lock in the service's folder and commit it."
    else:
        what, remedy = "Poetry cannot export it", "Run poetry check --lock in the service's folder."
    raise Problem("SOURCE", f"{what}\\n{last_lines(said)}", lock, remedy)
`;

// packages/builders/src/python/lock_uv.py
var lock_uv_default = `"""uv.lock, through uv's own exporter."""

import re
import subprocess

from project import PYPI, read_toml, require_groups, require_python, table
from packaging.specifiers import SpecifierSet
from problem import Problem, last_lines


def allows(text, version):
    return SpecifierSet(text).contains(version, prereleases=True)


def selection(groups):
    """\`main\` are the project's own dependencies; without it only the named groups ship."""
    flag = "--group" if "main" in groups else "--only-group"
    return [part for group in groups if group != "main" for part in (flag, group)]


def foreign_registries(project, locked):
    """Registries of locked packages other than PyPI; and the one that stood in for PyPI when it was locked."""
    used = [package.get("source", {}).get("registry") for package in locked.get("package", [])]
    registries = [url for url in dict.fromkeys(used) if url is not None and not PYPI.match(url)]
    indexes = table(project, "tool", "uv").get("index", [])
    declared = {str(index.get("url")).rstrip("/") for index in indexes}
    unknown = [url for url in registries if url.rstrip("/") not in declared]
    return registries, unknown[0] if len(unknown) == 1 else None


def export(project, lock, groups):
    locked = read_toml(lock)
    require_groups(groups, table(project, "dependency-groups"))
    require_python(table(project, "project").get("requires-python"), allows)
    registries, mirror = foreign_registries(project, locked)
    # Offline and without a cache: whether the lock matches is decided by the two files alone.
    command = ["uv", "export", "--locked", "--offline", "--no-cache", "--no-python-downloads", "--quiet"]
    command += ["--no-emit-project", "--no-default-groups", "--no-header", "--no-annotate", *selection(groups)]
    command += [] if mirror is None else ["--default-index", mirror]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode == 0:
        return done.stdout, {"default": None, "extra": registries}
    if re.search("needs to be updated|No solution found|network was disabled", done.stderr):
        said = re.sub(r"^hint: .*$", "", done.stderr, flags=re.MULTILINE)
        what, remedy = "it does not match pyproject.toml", "Run uv lock in the service's folder and commit it."
    else:
        said, what, remedy = done.stderr, "uv cannot export it", "Run uv lock --check in the service's folder."
    raise Problem("SOURCE", f"{what}\\n{last_lines(said)}", lock, remedy)
`;

// packages/builders/src/python/plan.py
var plan_default = `"""Decides, before anything is installed, which file of every locked package goes to which platform.

Writes OUT/plan.json: \`sets\`, files by "shared" (the same wheel on every platform) or platform; \`sources\`, packages
without a wheel for some platform, downloaded and looked into; \`notes\`.
"""

import argparse
import json
import os

from fetch import fetch
from index import canonical, files_of, locked_hashes, look_up
from problem import Problem, telling
from sdist import inspect
from wheels import best, supported, wanted


def choose(package, allowed, platforms, ranks):
    """The wheel for each platform that wants the package (None where there is none), and its sdist."""
    locked = allowed.get((canonical(package["name"]), package.get("version", "")))
    files = [file for file in files_of(package) if locked is None or file["sha256"] in locked]
    if not files:
        what = f"{package['name']} {package.get('version', '')}: the index has no file with a hash the lock names"
        remedy = "Its files were replaced since it was locked, or a mirror alters them. Find out why; then lock again."
        raise Problem("BUILD", what, None, remedy)
    wheels = [file for file in files if file["file"].endswith(".whl")]
    sdist = next((file for file in files if not file["file"].endswith(".whl")), None)
    takers = [name for name, machine in platforms.items() if wanted(package.get("marker"), machine)]
    return {name: best(wheels, ranks[name]) for name in takers}, sdist


def divide(packages, allowed, platforms, glibc):
    """Files by set, sources with the platforms that need them, and (package, platform) nothing can be had for."""
    ranks = {name: supported(machine, glibc) for name, machine in platforms.items()}
    sets = {"shared": [], **{name: [] for name in platforms}}
    sources, missing = [], []
    for package in packages:
        chosen, sdist = choose(package, allowed, platforms, ranks)
        without = [name for name, wheel in chosen.items() if wheel is None]
        if without and sdist is None:
            missing += [(f"{package['name']} {package['version']}", name) for name in without]
        elif without:
            sources.append({**sdist, "platforms": without})
        found = [wheel for wheel in chosen.values() if wheel is not None]
        if len(found) == len(platforms) and all(wheel == found[0] for wheel in found):
            sets["shared"].append(found[0])
        else:
            for name, wheel in chosen.items():
                sets[name] += [] if wheel is None else [wheel]
    return sets, sources, missing


def require_all(missing):
    if not missing:
        return
    lines = [
        f"{package} has neither a wheel for {name.replace('-', '/')} nor a source archive"
        for package, name in missing
    ]
    remedy = "Lock a version that has one (its files are listed on the index), replace the package, give it an\\n"
    remedy += "environment marker such as platform_machine, or build without that platform: --platform."
    raise Problem("BUILD", "; ".join(lines), None, remedy)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lock", required=True, help="folder with requirements.txt and indexes.json")
    parser.add_argument("--out", required=True)
    parser.add_argument("--cache", required=True, help="folder of downloads")
    parser.add_argument("--pypi", help="mirror of PyPI")
    parser.add_argument("--glibc", type=int, required=True, help="highest minor version of glibc 2 of wheels")
    parser.add_argument("--platform", action="append", required=True, metavar="NAME=MACHINE")
    options = parser.parse_args()
    platforms = dict(pair.split("=", 1) for pair in options.platform)
    os.makedirs(options.out, exist_ok=True)
    requirements = os.path.join(options.lock, "requirements.txt")
    with open(requirements) as file:
        allowed = locked_hashes(file.read())
    with open(os.path.join(options.lock, "indexes.json")) as file:
        indexes = json.load(file)
    packages, notes = look_up(requirements, indexes, options.pypi, "/tmp") if allowed else ([], [])
    sets, sources, missing = divide(packages, allowed, platforms, options.glibc)
    require_all(missing)
    for source, path in zip(sources, fetch(sources, options.cache)):
        source.update(inspect(path))
    with open(os.path.join(options.out, "plan.json"), "w") as file:
        json.dump({"sets": sets, "sources": sources, "indexes": indexes, "notes": notes}, file)


if __name__ == "__main__":
    telling(main)
`;

// packages/builders/src/python/problem.py
var problem_default = '"""What went wrong, told so that the pipeline can pass it on as one message with its remedy."""\n\nimport json\nimport sys\n\n\nclass Problem(Exception):\n    """A foreseen failure; `code` is one of the product\'s error codes."""\n\n    def __init__(self, code, what, where=None, remedy=None):\n        super().__init__(what)\n        self.told = {"code": code, "what": what, "where": where, "remedy": remedy}\n\n\ndef telling(main):\n    """Runs main; a problem ends the program with one line that the pipeline reads."""\n    try:\n        main()\n    except Problem as problem:\n        sys.stderr.write(f"tgo-problem: {json.dumps(problem.told)}\\n")\n        sys.exit(1)\n\n\ndef last_lines(text, count=12):\n    """The end of what a tool printed, indented."""\n    lines = [line.rstrip() for line in text.splitlines() if line.strip()]\n    return "\\n".join(f"  | {line}" for line in lines[-count:])\n';

// packages/builders/src/python/project.py
var project_default = `"""What pyproject.toml and exported requirements say."""

import platform
import re

from problem import Problem

try:
    import tomllib
except ModuleNotFoundError:  # before Python 3.11
    import tomli as tomllib

PYPI = re.compile(r"^https://pypi\\.org/simple/?$")


def read_toml(path):
    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        remedy = "Mend the file." if path == "pyproject.toml" else "Restore the file from git, or lock again."
        raise Problem("SOURCE", f"it is not valid TOML: {error}", path, remedy)


def table(document, *names):
    """A table inside a document, empty where there is none."""
    for name in names:
        document = document.get(name, {}) if isinstance(document, dict) else {}
    return document if isinstance(document, dict) else {}


def require_groups(wanted, known):
    """Group names are compared as PEP 735 says: without case, and - _ . alike."""
    names = {re.sub(r"[-_.]+", "-", name).lower(): name for name in ["main", *known]}
    for group in wanted:
        if re.sub(r"[-_.]+", "-", group).lower() not in names:
            remedy = f"Groups there are: {', '.join(names.values())}. Mend build.groups of the service."
            raise Problem("SOURCE", f"there is no dependency group {group}", "pyproject.toml", remedy)


def require_python(text, allows):
    """The base image's Python must be one the project says it runs on."""
    version = platform.python_version()
    if text is None or allows(text, version):
        return
    remedy = "Choose a base image with such a Python (build.base of the service), or widen the project's range."
    raise Problem("SOURCE", f"the project wants Python {text}, the base image has {version}", "pyproject.toml", remedy)


def split_options(text):
    """Requirement lines and index options of an export, apart."""
    lines, default, extra = [], None, []
    for line in text.splitlines():
        option = re.match(r"--(index-url|extra-index-url|trusted-host|find-links)[ =](\\S+)", line)
        if option is None:
            lines.append(line)
        elif option[1] == "index-url":
            default = option[2]
        elif option[1] == "extra-index-url":
            extra.append(option[2])
    if default is not None and PYPI.match(default):
        default = None
    return "\\n".join(lines) + "\\n", {"default": default, "extra": [url for url in extra if not PYPI.match(url)]}
`;

// packages/builders/src/python/sdist.py
var sdist_default = '"""Source archives: what is in them, and how they are unpacked."""\n\nimport os\nimport re\nimport tarfile\nimport zipfile\n\nLANGUAGES = {\n    "c": r"\\.(c|pyx|s)$",\n    "c++": r"\\.(cc|cpp|cxx|hpp|hxx)$",\n    "rust": r"(\\.rs|/Cargo\\.toml)$",\n    "fortran": r"\\.(f|for|f77|f90|f95)$",\n    "go": r"\\.go$",\n    "other": r"/(meson\\.build|CMakeLists\\.txt|configure)$",\n}\nASIDE = r"(^|/)(tests?|docs?|examples?|benchmarks?)/"\nBUILDS_EXTENSIONS = r"\\b(Extension\\s*\\(|ext_modules|cffi_modules|rust_extensions|has_ext_modules)"\n\n\ndef inspect(path):\n    """{languages}: what would have to be compiled; none for a pure Python package."""\n    names = _names(path)\n    top = len(_top(names))\n    code = [name for name in names if not re.search(ASIDE, name[top:], re.I)]\n    languages = [\n        language for language, pattern in LANGUAGES.items() if any(re.search(pattern, name, re.I) for name in code)\n    ]\n    setup = _read(path, f"{_top(names)}/setup.py") or ""\n    if not languages and re.search(BUILDS_EXTENSIONS, setup):\n        languages = ["c"]\n    return {"languages": languages}\n\n\ndef unpack(path, target):\n    """Unpacks an archive; `target` is its one top folder afterwards."""\n    parent = os.path.dirname(target)\n    os.makedirs(parent, exist_ok=True)\n    if zipfile.is_zipfile(path):\n        with zipfile.ZipFile(path) as archive:\n            archive.extractall(parent)\n    else:\n        with tarfile.open(path) as archive:\n            archive.extractall(parent, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))\n    top = os.path.join(parent, _top(_names(path)))\n    if top != target:\n        os.rename(top, target)\n\n\ndef _top(names):\n    return names[0].removeprefix("./").split("/")[0] if names else ""\n\n\ndef _names(path):\n    if zipfile.is_zipfile(path):\n        with zipfile.ZipFile(path) as archive:\n            return archive.namelist()\n    with tarfile.open(path) as archive:\n        return archive.getnames()\n\n\ndef _read(path, name):\n    if zipfile.is_zipfile(path):\n        with zipfile.ZipFile(path) as archive:\n            return archive.read(name).decode(errors="replace") if name in archive.namelist() else None\n    with tarfile.open(path) as archive:\n        found = archive.extractfile(name) if name in archive.getnames() else None\n        return None if found is None else found.read().decode(errors="replace")\n';

// packages/builders/src/python/tools/poetry.ts
var POETRY = `anyio==4.16.0 ; python_full_version >= '3.10' --hash=sha256:c66ae634e0b8228396b801741beb3294326d4b6102f7bba4041c0dfb58c29026
backports-tarfile==1.2.0 ; python_full_version >= '3.10' and python_full_version < '3.12' --hash=sha256:77e284d754527b01fb1e6fa8a1afe577858ebe4e9dad8919e34c862cb399bc34
build==1.6.1 ; python_full_version >= '3.10' --hash=sha256:ecd351a4be9d35a9eaaba244a7687143c9c7d4aea6ac964e7e7ddab20cbcf4e7
cachecontrol==0.14.4 ; python_full_version >= '3.10' --hash=sha256:b7ac014ff72ee199b5f8af1de29d60239954f223e948196fa3d84adaffc71d2b
certifi==2026.10.18 ; python_full_version >= '3.10' --hash=sha256:73191c47aaa79da394e8fee2dbc2ec827432cab56311122c9e47abf79e390f62
cffi==2.1.1 ; python_full_version >= '3.10' and ((platform_python_implementation != 'PyPy' and sys_platform == 'linux') or sys_platform == 'darwin') --hash=sha256:5a59cc1c4442bc3d5c703bf720b51138d0bfc173618807c9ee2490a7541dd3d9 --hash=sha256:194cffa889098ced9976c3fc6340305e43f6303657d298da55366907c05c22d6 --hash=sha256:3311ed60d36f83378794e1009ac6258bafbf81f7888b4caa7b35a521e3f95813 --hash=sha256:34e261f78cb6ceaaa36f42f2613f4380d94d9c759a9c73c769ee6e0247364632 --hash=sha256:68e62fe11f30d5ca8289242866f0a5291402d8529ca2178ab8afc5c9694ae890 --hash=sha256:c1453022f490d2459a11819d83ad1d586e9ff65a12ac3e705ffebd46d3685dcf --hash=sha256:b5bdfd1c873d4e093aabc0ca84c4ca6dbc4f752afb5c86f146d9742580c9da2e --hash=sha256:31348097ff5bbe827ccc41795d4dd099d9f0625e7def00ee653c137a490c2a6c --hash=sha256:f16c709686a78c727bbbf059f92b0bf41c6fc60deec706d2dc19f529175a6125 --hash=sha256:a931079504ecc49efed7744c476a5c343a92fabf66dec2db95edb1b2fdc770e2 --hash=sha256:7dbb61fe3a7699468030f71bbe5f8a0e326a151daa91beb11a6fc1f980c55e1c --hash=sha256:f24fb43132a4c6b4cb4eb029492919b2db645be6808d738f244fd146c03c32cb --hash=sha256:58acb8ab8e295e6c5ea12f888cbb13cf21511ef2a3303a23f4325c29d17fe5c1 --hash=sha256:b0431303acaea1089ad4b3e9ce4e6518193def1118d4073ca848635ee4ea2e96 --hash=sha256:dddad92b554513a31f272570678ba307fb9f618f05e3d4a5eacafff9eae03e1d --hash=sha256:da0e573f9f97159390c89d9f1a9e41908b66d408cc5b58d08cf3847d844c531b --hash=sha256:507a24c282e0f42f8ed737cf048572cbf580468da5555764a8331735e9c736b6 --hash=sha256:aeae0e330c9f6acd681f647d46cefd30c29f93e3392882e792e82080c9691399
charset-normalizer==3.5.2 ; python_full_version >= '3.10' --hash=sha256:9373ad13ef0d2c0fb761e04e55bfdee5a08b52cef2c882c8fbe9935b1517152e --hash=sha256:8a893cc101149f80a653f82062ebc95b34525a2614382e1da5458fe7c6997249 --hash=sha256:d760fe2a4d7c3b226cb9026d6a842868d52a7901bd98420e1baf14e80da85cf5 --hash=sha256:211d5a3eb6af8f513b8d4ca19a8c1b7accab1b5f0d3175f9826b03c1a920dc1f --hash=sha256:b91363207bd9dc966a691e959bb47f64b30f7ac4b072be9968b366982f7db77c --hash=sha256:3d31298449090ab8d47b7b1b2a555ff73cac7ed438a08b7ac160980c7ebed649 --hash=sha256:ed905975ab14056a2e5eb1c376cb2e1ebc5396baf84163939c518556fccde9f5 --hash=sha256:a66c3bc5ab1f0ff2164fc9965ddd611ff0802173f4b9d24554c563f6ab7e1d6e --hash=sha256:d2374b62878abb00cd8309b32af6c0b715cd02dec0ca74ef12e5069bdc64144a --hash=sha256:d376bbd28b3a8999db1a103b3b388aee6f1ddeb3e51bc2172993efdcd86e064d --hash=sha256:849df64e889b2e17230d58410a03dba311a65b163508fd33679b2b737d4b7858 --hash=sha256:7218e8f32b0956cfcd048fd42d9d5779809745ca1d86113ca56f66e7ae1549c4 --hash=sha256:a090bb2c68df85450502e3e20d665e3a5af9c65a84d6508ed477badd49166fd3 --hash=sha256:1afb975bd5d68d5ce9f6b6d44fdf2f7e34b895a35e95708a7a91b20a3b51d187 --hash=sha256:bbbfc8e28816f19d7c0f1816664980c0a9875d01b27cdf8eedddb639d9e108ad --hash=sha256:7967d08cf06dee78443b874f98c98036f624f3a4e73e11f9f64f5be4d25393cf --hash=sha256:4c2b5031f63e331e3839b40aed2dd6f191e9c07edbde303e7876846ea1946995 --hash=sha256:8d86d6fc60743dc916eb79e2eb1ec4818e21e427731543af40a3021851174a13 --hash=sha256:34276fd796040bf0993ab33a369aa572e6979c7aab225a88893667ad8eac8f7a --hash=sha256:ee43c17b173d46a3212baa6ead3ae258eeabdae48c263a01ccf0218c366dd655 --hash=sha256:9409a8bf35cf78353942504b24a57de3d75b708997a1e4bd8db71ac8633ce364 --hash=sha256:3df041de8887954562c9b261cba85ca0e9ded74048daf125f45edcfaa4832229 --hash=sha256:1c50fe28bbc2ced33386f298650d91218076c05420e6cbd790b913adc41659e7 --hash=sha256:d19fbd981a488e22cd04883659ca6b08f50b5974f9fd7c95655ef6a043e5893f --hash=sha256:b6b751274acb69d77b3323d6b7dbaa3c7fdfc1eb829b7eb61d262f32e1af9685
cleo==2.1.0 ; python_full_version >= '3.10' --hash=sha256:4a31bd4dd45695a64ee3c4758f583f134267c2bc518d8ae9a29cf237d009b07e
crashtest==0.4.1 ; python_full_version >= '3.10' --hash=sha256:8d23eac5fa660409f57472e3851dab7ac18aba459a8d19cbbba86d3d5aecd2a5
cryptography==50.0.2 ; python_full_version >= '3.10' and sys_platform == 'linux' --hash=sha256:79def8d059362e7831389ed3be0ecdf58a89386e1271e35dd9f5af84e81bffd0 --hash=sha256:630ebfea3bf689d075f82316324ff7433dc447fe6bc1bfc76524b74b4a9567d2 --hash=sha256:f9f6143a8c75945eb960d9eb98905a441394abfa24afaae239d514ffb2586480 --hash=sha256:4061c0079120205fb760c58acab6443e217307dcf05e3702cf970e0689972856 --hash=sha256:87e9ce85beb6b328ba370cc6e6aea483c92617b4c95b1d33a49297eb662bfb04 --hash=sha256:9dab55f57c74c3cad24c323bacbbd04be4705ba6eb0d92e920b1fc4837ed5079 --hash=sha256:d370b8d1dfcdf7130178137f6fbee6140774a1acc6cacefc4b42643ec11d0a3a --hash=sha256:f2f9bd7f90c64fe89253f0a2c05e3c4856072660429ce8831b4235bf29403a67 --hash=sha256:e275096ea1e60cc595cda2836fd4a6c725d1125108b868be17f53684d164e2cc --hash=sha256:58a0c478eeca76fe5e07993c5a0703def34a6dc6a0cda4f5564639b33112ffe7 --hash=sha256:fdd28f912fccfec1846a94e2e1e8f9b0012f557f0c46fe4f3eb0d7a87afcf90b --hash=sha256:e105ab60406787da31fccc883fc0f733af1efd78f0136a4599692c4083a73d0c --hash=sha256:c5e67125c7dca78d199ec4e116aa93dbb83494808ecbb8211a2cb09b1bf41dbd --hash=sha256:ee247f5c245c9a2fe7c8e2214e295918838e44e00a45a6718451e4004219e767 --hash=sha256:dfe9763530994147d9af1def057a5b9658b00e8f8fe8743d144d1e0911c2e454 --hash=sha256:f21e8a22c8605750c7af886bab299a363721264061b4ac0a30efb73cfd58efc5 --hash=sha256:0ddc924c04591c2811ca024d62ecad4f7f6f08af8939c211438f48a16bd23602 --hash=sha256:1981f1db4630889b9ef7803fadef12b056f428cb6b85c27ba57b774793b6093c
distlib==0.4.4 ; python_full_version >= '3.10' --hash=sha256:cf09d55b1e85a89576b036aeb71550bfd68320f3f21761ca329eadadad918638
dulwich==0.24.10 ; python_full_version >= '3.10' --hash=sha256:2a56f9838e5d2414a2b57bab370b73b9803fefd98836ef841f0fd489b5cc1349 --hash=sha256:90b24c0827299cfb53c4f4d4fedc811be5c4b10c11172ff6e5a5c52277fe0b3a --hash=sha256:b715a9f85ed71bef8027275c1bded064e4925071ae8c8a8d9a20c67b31faf3cd --hash=sha256:858fae0c7121715282a993abb1919385a28e1a9c4f136f568748d283c2ba874f --hash=sha256:6a25ca1605a94090514af408f9df64427281aefbb726f542e97d86d3a7c8ec18 --hash=sha256:d9793fc1e42149a650a017dc8ce38485368a41729b9937e1dfcfedd0591ebe9d --hash=sha256:843de5f678436a27b33aea0f2b87fd0453afdd0135f885a3ca44bc3147846dd2 --hash=sha256:4914abb6408a719b7a1f7d9a182d1efd92c326e178b440faf582df50f9f032db --hash=sha256:3581ae0af33f28e6c0834d2f41ca67ca81cd92a589e6a5f985e6c64373232958 --hash=sha256:019af16c850ae85254289f9633a29dea02f45351c4182ea20b0c1394c074a13b --hash=sha256:44f62e0244531a8c43ca7771e201ec9e7f6a2fb27f8c3c623939bc03c1f50423 --hash=sha256:e2eda4a634d6f1ac4c0d4786f8772495c8840dfc2b3e595507376bf5e5b0f9c5 --hash=sha256:15b32f8c3116a1c0a042dde8da96f65a607e263e860ee42b3d4a98ce2c2f4a06
exceptiongroup==1.3.1 ; python_full_version == '3.10.*' --hash=sha256:a7a39a3bd276781e98394987d3a5701d0c4edffb633bb7a5144577f82c773598
fastjsonschema==2.22.3 ; python_full_version >= '3.10' --hash=sha256:f670b443830b75aca3f00b75949efa20f4b2a80302ec7a21505c28dd54cffd43
filelock==4.1.0 ; python_full_version == '3.10.*' --hash=sha256:2ce9818e3e2d8f284c1a964414447ef148d42a5fd5e2a477a7118e574b293ec1
filelock==4.2.12 ; python_full_version >= '3.11' --hash=sha256:21decfec02f116ed4c954433cdb31f28c3b346b784543177b6d7059da2702ee9
findpython==0.7.1 ; python_full_version >= '3.10' --hash=sha256:1b78b1ff6e886cbddeffe80f8ecdbf2b8b061169bbd18b673070e26b644c51ac
h11==0.16.0 ; python_full_version >= '3.10' --hash=sha256:63cf8bbe7522de3bf65932fda1d9c2772064ffb3dae62d55932da54b31cb6c86
httpcore==1.0.9 ; python_full_version >= '3.10' --hash=sha256:2d400746a40668fc9dec9810239072b40b4484b640a8c38fd654a024c7a1bf55
httpx==0.28.1 ; python_full_version >= '3.10' --hash=sha256:d909fcccc110f8c7faf814ca82a9a4d816bc5a6dbfea25d6591d6985b8ba59ad
idna==3.20 ; python_full_version >= '3.10' --hash=sha256:ab7ae7122974553370f0bdb919e1a960b2cd1bc1ef0276416d896db81c14582c
importlib-metadata==9.0.1 ; python_full_version == '3.10.*' --hash=sha256:bba5600596a7e21f3eef53281cf28d6a5195634d2f2b78ff9501a3272c6eaab0
importlib-metadata==10.2.0 ; python_full_version == '3.11.*' --hash=sha256:c7a4bf1c7479601f6b8e437cfc14f4f77028ba62a8f34ae95cd93d9774dfba51
installer==0.7.0 ; python_full_version >= '3.10' --hash=sha256:05d1933f0a5ba7d8d6296bb6d5018e7c94fa473ceb10cf198a92ccea19c27b53
jaraco-classes==3.4.0 ; python_full_version >= '3.10' --hash=sha256:f662826b6bed8cace05e7ff873ce0f9283b5c924470fe664fff1c2f00f581790
jaraco-context==6.1.2 ; python_full_version >= '3.10' --hash=sha256:bf8150b79a2d5d91ae48629d8b427a8f7ba0e1097dd6202a9059f29a36379535
jaraco-functools==4.6.0 ; python_full_version >= '3.10' --hash=sha256:99e3dc0060c5cbe8fcd1cdb36258e2a65ca40f1566b2033b12abb1bb44dd3c30
jeepney==0.9.0 ; python_full_version >= '3.10' and sys_platform == 'linux' --hash=sha256:97e5714520c16fc0a45695e5365a2e11b81ea79bba796e26f9f1d178cb182683
keyring==25.7.0 ; python_full_version >= '3.10' --hash=sha256:be4a0b195f149690c166e850609a477c532ddbfbaed96a404d4e43f8d5e2689f
lazy-importer==0.1.0 ; python_full_version == '3.11.*' --hash=sha256:bd93fab7bef18e842eea02b839410954d37889140dc64ca4d9680aec6880c739
more-itertools==11.1.0 ; python_full_version == '3.10.*' --hash=sha256:4b65538ae22f6fed0ce4874efd317463a7489796a0939fa66824dd542125a192
more-itertools==11.2.1 ; python_full_version >= '3.11' --hash=sha256:35a7377edd1dd6608dcb2cdf534ded55ea32d49448875ad042cd3f879fb1ded0
msgpack==1.2.4 ; python_full_version >= '3.10' --hash=sha256:25e1f2466c4ea0fb9b694a922f75eb92d7ce6262eda8cb8a5dada34fe990d486 --hash=sha256:85b79ed643cfde70672152b3d1aee438ca647c5d2ffb7dba7226689ee9f6f44b --hash=sha256:0c75cfda0d3ccb1f6abc20e0608ad6b226e11f317b5ac297721504d2509e2bd9 --hash=sha256:a45ceb5f199d5e388f28b550ba881096a3740d4bda10e661d77f59d9a2e8187a --hash=sha256:9ca1e78106675f2aed07dc37b842ce19be70010ab22c5c5c04688f0840d48539 --hash=sha256:c4d5bbdbea8f5669b3a734d6c226772804fb120848f99cbe63a0ddee63b049c9 --hash=sha256:e9c5ba0f053a7e98f013f083c9d1b2dffb26cad8c897c533d8286e44ed24c669 --hash=sha256:7fabd415c41e62006c6641fcdf5b3e866f581c4e11c58328c0d0f69584b9577d --hash=sha256:d088d1f552e129859db830692268747aba0a1ee3e6e0fe6344dbb3aab1df9f6c --hash=sha256:2444a4e04f924630d059ae6eae8f91fdfcd28ed9fd17b21bacf4e74550a091f7 --hash=sha256:5d65b791ce4283e02b6267742ad540899155e1b32887b9cbdda47f38f5a076b5 --hash=sha256:06a0657a4110d563255006b7cb7147432f67827144e429c2cdb1c967548d1817 --hash=sha256:c5917972ce1bf5f85f761031e00dab6fe0ad9f880cb3d2d43ed74b330c850400 --hash=sha256:e7ae8cf6012372cecb43016132d1b87ccc2ebb8ae5ab5078687399e82423386a --hash=sha256:b1f08ec826417e3c8dc3edadb50f38debba033af6cb849229f0eac72f80f2342
packaging==26.3 ; python_full_version >= '3.10' --hash=sha256:d7193f7c8e4e93f444fde0262bf90af30e16fa0ad0ad44cb553c87339b23cd1c
pbs-installer==2025.12.17 ; python_full_version >= '3.10' --hash=sha256:1a899ac5af9ca4c59a7a7944ec3fcf7ad7e40d5684b12eadcfbeee7c59d44123
pkginfo==1.13.3 ; python_full_version >= '3.10' --hash=sha256:66520cd19fddf3faa9554d68dcc0e6801944275bf612e8b581dfba968a9b4cc9
platformdirs==4.12.4 ; python_full_version == '3.10.*' --hash=sha256:78bfb9db2a8471ed7eebe3c3c932da413911042994e699b384fbb4493fa872d7
platformdirs==4.14.7 ; python_full_version >= '3.11' --hash=sha256:391513b74707c42335fff3ea17eaac657a7ee9ffcadd809634d34ea594d0122c
poetry==2.2.1 ; python_full_version >= '3.10' --hash=sha256:f5958b908b96c5824e2acbb8b19cdef8a3351c62142d7ecff2d705396c8ca34c
poetry-core==2.2.1 ; python_full_version >= '3.10' --hash=sha256:bdfce710edc10bfcf9ab35041605c480829be4ab23f5bc01202cfe5db8f125ab
poetry-plugin-export==1.10.1 ; python_full_version >= '3.10' --hash=sha256:83f10f98bb39ddc0dc839bdaa04848c9b2265a77e95d8dfd6e82071cab94540f
pycparser==3.11 ; python_full_version == '3.10.*' and implementation_name != 'PyPy' and ((platform_python_implementation != 'PyPy' and sys_platform == 'linux') or sys_platform == 'darwin') --hash=sha256:51d5a8ba2be0bbe440b99d2112604c95bbbc3c2748a64260186c541e1729cd80
pycparser==3.12 ; python_full_version >= '3.11' and implementation_name != 'PyPy' and ((platform_python_implementation != 'PyPy' and sys_platform == 'linux') or sys_platform == 'darwin') --hash=sha256:a076f3f489b39b43ed13563a1dafe42447445bec2e294154ec5c57fcdda4c85e
pyproject-hooks==1.3.3 ; python_full_version >= '3.10' --hash=sha256:5fc53fdac9f7bd63fbcdc868fb5f90b4784d78a53a3d3388cd738b807441a20b
python-discovery==1.9.5 ; python_full_version >= '3.10' --hash=sha256:a1fae8fca11e4bc61e38491c2aafff29e430b3c5e272d51ae52fb895bc4c0fac
rapidfuzz==3.14.5 ; python_full_version == '3.10.*' --hash=sha256:f9fff308486bbd2c8c24f25e8e152c7594d3fe8db265a2d6a1ce24d58671127f --hash=sha256:dfa552338f51aec280f17b02d28bace1e162d1a84ccd80e3339a57f98aedb56b --hash=sha256:cb2829fedd672dd7107267189dabe2bbe07972801d636014417c6861eb89e358 --hash=sha256:3d50e5861872935fece391351cbb5ba21d1bced277cf5e1143d207a0a35f1925 --hash=sha256:01550fe5f60fd176aa66b7611289d46dc4aa4b1b904874c7b6d1d54e581c5ec1 --hash=sha256:48bee0b91bebfaec41e1081e351000659ab7570cc4598d617aa04d5bf827f9e6 --hash=sha256:b002c7994cc9f2bc9d9856f0fbaee6e8072c983873846c92f25cefba5b2a925f --hash=sha256:17a34330cd2a538c1ce5d400b61ba358c5b72c654b928ff87b362e88f8b864c7 --hash=sha256:59b3dba758661a318995655435c6ab20a04ade79fa51e75bc8dc107cac8df280 --hash=sha256:4900143d82071bdda533b00300c40b14b963ff826b3642cc463b6dd0f036585e
rapidfuzz==3.14.6 ; python_full_version >= '3.11' --hash=sha256:3781cf14f9fc933d7198c2b25a8bbbd1a62b752746d5cd26de14957edc0e802f --hash=sha256:3d5d90bae3c6fb7ea34da968c9f23070e8440edb827a28b242580e0108110b14 --hash=sha256:96a548979cd939b2c69358a0f5088a408524fbf7454f04bf90939fa971e64310 --hash=sha256:0debb5f43662ea84d2f0228a0c7407ff647f9c3d13f3b692efff0cde46eebce0 --hash=sha256:0b34b7ee4f4f760690d6477163aabbec05705b5dd764cb6c3a6ba95aa1fffc42 --hash=sha256:6bb896f89a387219c671ebc33c4a636b222010cc3c5c83884a7fc8707bf0bbf9 --hash=sha256:760ee152af5e8b4d241a469f933ba2d7215248618ae19770fec7d80d9e149db6 --hash=sha256:08bc63b88048376114d1e66cf8fa6926495d03bb873eb87854fa74cf6848a70b --hash=sha256:cbe6a62f71fcbca72acbf5a30e53380600369f257f951d664d81d30c0c598595 --hash=sha256:b82c21c30568e096ef2a9dda7d45c379e6141694e0472dac73bc4372ce13ccee
requests==2.34.2 ; python_full_version >= '3.10' --hash=sha256:2a0d60c172f83ac6ab31e4554906c0f3b3588d37b5cb939b1c061f4907e278e0
requests-toolbelt==1.0.0 ; python_full_version >= '3.10' --hash=sha256:cccfdd665f0a24fcf4726e690f65639d272bb0637b9b92dfd91a5568ccf6bd06
secretstorage==3.5.0 ; python_full_version >= '3.10' and sys_platform == 'linux' --hash=sha256:0ce65888c0725fcb2c5bc0fdb8e5438eece02c523557ea40ce0703c266248137
shellingham==1.5.4 ; python_full_version >= '3.10' --hash=sha256:7ecfff8f2fd72616f7481040475a65b2bf8af90a56c89140852d1120324e8686
tomli==2.5.0 ; python_full_version == '3.10.*' --hash=sha256:86665cee9c4835b7a7f1e8ec2c719b5258d4dc782887aded5a8ae7352a96843b --hash=sha256:d7e369fd63331746182360977b1892bfc215476a30d61612d732425311639f56 --hash=sha256:bf0b5e8e0f68ebb494356e577c06c139161efd8d3b9050f93b39b7c26cc54ff0 --hash=sha256:6cf74416bdc94ae458b14e37286c1073081850ac8459a00d0c5efef5d44294c6 --hash=sha256:1245a6638fc4bb0a60af38a7d45413db34a13842027c77597c712c998c62fdf0 --hash=sha256:5d8bac3d603c97e6854424e5b2b5b741bdbde387e09f162fb0446812b4a8362b --hash=sha256:6e95c7614e705bfe2b04b27aa124adec59752d15813df37e2156747cab3a006b --hash=sha256:7ac2027d37c3afbdf4bdd377f2676f6f1d2122a5be1f1137b49dced590b37e75 --hash=sha256:752e8b1aa6a4367ef8bf6a1a1e005540f7ed055ba36d7193796812ca5404eb52 --hash=sha256:c47300f9bf791808f77d82747691c4bb09cb14bdf3060cca99b42cdc4361d5a7 --hash=sha256:32a7b79ac57a2e83670ce329ccf675798bc5a2094783a63676866b70503f2e2b
tomlkit==0.15.2 ; python_full_version >= '3.10' --hash=sha256:05562412163a3037b94497385fb7f9204c637bc605af7a48199e41cf2272f437
trove-classifiers==2026.9.21.13 ; python_full_version >= '3.10' --hash=sha256:8b1ff4f9c191b1040b71c37f1e445ab99732911e3cd91de52838453a854d7a17
typing-extensions==4.16.0 ; python_full_version >= '3.10' and python_full_version < '3.15' --hash=sha256:481caa481374e813c1b176ada14e97f1f67a4539ce9cfeb3f350d78d6370c2e8
urllib3==2.8.0 ; python_full_version >= '3.10' --hash=sha256:0cf3cae568d36aa9576b28dfb35f11328f1cb974ca7647d9475ebb86c75ac6e3
virtualenv==21.15.8 ; python_full_version >= '3.10' --hash=sha256:e4cb274633d6f3ddb19f535a3be7539ce8fe34fc7aa2b0c417ff6e96c3cf67dc
zipp==4.1.2 ; python_full_version >= '3.10' and python_full_version < '3.12' --hash=sha256:b30cb6cd253122169c47de245ca24a86bac2a5d3802ba15bf7ba6414eb9e144d
zstandard==0.25.0 ; python_full_version >= '3.10' --hash=sha256:e05ab82ea7753354bb054b92e2f288afb750e6b439ff6ca78af52939ebbc476d --hash=sha256:4b6d83057e713ff235a12e73916b6d356e3084fd3d14ced499d84240f3eecee0 --hash=sha256:01582723b3ccd6939ab7b3a78622c573799d5d8737b534b86d0e06ac18dbde4a --hash=sha256:9300d02ea7c6506f00e627e287e0492a5eb0371ec1670ae852fefffa6164b072 --hash=sha256:6dffecc361d079bb48d7caef5d673c88c8988d3d33fb74ab95b7ee6da42652ea --hash=sha256:5a56ba0db2d244117ed744dfa8f6f5b366e14148e00de44723413b2f3938a902 --hash=sha256:bfc4e20784722098822e3eee42b8e576b379ed72cca4a7cb856ae733e62192ea --hash=sha256:8e735494da3db08694d26480f1493ad2cf86e99bdd53e8e9771b2752a5c0246a --hash=sha256:223415140608d0f0da010499eaa8ccdb9af210a543fac54bce15babbcfc78439 --hash=sha256:e09bb6252b6476d8d56100e8147b803befa9a12cea144bbe629dd508800d1ad0
`;

// packages/builders/src/python/tools/programs.ts
var PROGRAMS = `certifi==2026.10.18 --hash=sha256:73191c47aaa79da394e8fee2dbc2ec827432cab56311122c9e47abf79e390f62
charset-normalizer==3.5.2 --hash=sha256:9373ad13ef0d2c0fb761e04e55bfdee5a08b52cef2c882c8fbe9935b1517152e --hash=sha256:8a893cc101149f80a653f82062ebc95b34525a2614382e1da5458fe7c6997249 --hash=sha256:d760fe2a4d7c3b226cb9026d6a842868d52a7901bd98420e1baf14e80da85cf5 --hash=sha256:211d5a3eb6af8f513b8d4ca19a8c1b7accab1b5f0d3175f9826b03c1a920dc1f --hash=sha256:b91363207bd9dc966a691e959bb47f64b30f7ac4b072be9968b366982f7db77c --hash=sha256:3d31298449090ab8d47b7b1b2a555ff73cac7ed438a08b7ac160980c7ebed649 --hash=sha256:ed905975ab14056a2e5eb1c376cb2e1ebc5396baf84163939c518556fccde9f5 --hash=sha256:a66c3bc5ab1f0ff2164fc9965ddd611ff0802173f4b9d24554c563f6ab7e1d6e --hash=sha256:d2374b62878abb00cd8309b32af6c0b715cd02dec0ca74ef12e5069bdc64144a --hash=sha256:d376bbd28b3a8999db1a103b3b388aee6f1ddeb3e51bc2172993efdcd86e064d --hash=sha256:849df64e889b2e17230d58410a03dba311a65b163508fd33679b2b737d4b7858 --hash=sha256:7218e8f32b0956cfcd048fd42d9d5779809745ca1d86113ca56f66e7ae1549c4 --hash=sha256:a090bb2c68df85450502e3e20d665e3a5af9c65a84d6508ed477badd49166fd3 --hash=sha256:1afb975bd5d68d5ce9f6b6d44fdf2f7e34b895a35e95708a7a91b20a3b51d187 --hash=sha256:bbbfc8e28816f19d7c0f1816664980c0a9875d01b27cdf8eedddb639d9e108ad --hash=sha256:7967d08cf06dee78443b874f98c98036f624f3a4e73e11f9f64f5be4d25393cf --hash=sha256:4c2b5031f63e331e3839b40aed2dd6f191e9c07edbde303e7876846ea1946995 --hash=sha256:8d86d6fc60743dc916eb79e2eb1ec4818e21e427731543af40a3021851174a13 --hash=sha256:34276fd796040bf0993ab33a369aa572e6979c7aab225a88893667ad8eac8f7a --hash=sha256:ee43c17b173d46a3212baa6ead3ae258eeabdae48c263a01ccf0218c366dd655 --hash=sha256:9409a8bf35cf78353942504b24a57de3d75b708997a1e4bd8db71ac8633ce364 --hash=sha256:3df041de8887954562c9b261cba85ca0e9ded74048daf125f45edcfaa4832229 --hash=sha256:1c50fe28bbc2ced33386f298650d91218076c05420e6cbd790b913adc41659e7 --hash=sha256:d19fbd981a488e22cd04883659ca6b08f50b5974f9fd7c95655ef6a043e5893f --hash=sha256:b6b751274acb69d77b3323d6b7dbaa3c7fdfc1eb829b7eb61d262f32e1af9685
idna==3.20 --hash=sha256:ab7ae7122974553370f0bdb919e1a960b2cd1bc1ef0276416d896db81c14582c
packaging==26.3 --hash=sha256:d7193f7c8e4e93f444fde0262bf90af30e16fa0ad0ad44cb553c87339b23cd1c
requests==2.34.2 --hash=sha256:2a0d60c172f83ac6ab31e4554906c0f3b3588d37b5cb939b1c061f4907e278e0
tomli==2.5.0 ; python_full_version < '3.11' --hash=sha256:86665cee9c4835b7a7f1e8ec2c719b5258d4dc782887aded5a8ae7352a96843b --hash=sha256:d7e369fd63331746182360977b1892bfc215476a30d61612d732425311639f56 --hash=sha256:bf0b5e8e0f68ebb494356e577c06c139161efd8d3b9050f93b39b7c26cc54ff0 --hash=sha256:6cf74416bdc94ae458b14e37286c1073081850ac8459a00d0c5efef5d44294c6 --hash=sha256:1245a6638fc4bb0a60af38a7d45413db34a13842027c77597c712c998c62fdf0 --hash=sha256:5d8bac3d603c97e6854424e5b2b5b741bdbde387e09f162fb0446812b4a8362b --hash=sha256:6e95c7614e705bfe2b04b27aa124adec59752d15813df37e2156747cab3a006b --hash=sha256:7ac2027d37c3afbdf4bdd377f2676f6f1d2122a5be1f1137b49dced590b37e75 --hash=sha256:752e8b1aa6a4367ef8bf6a1a1e005540f7ed055ba36d7193796812ca5404eb52 --hash=sha256:c47300f9bf791808f77d82747691c4bb09cb14bdf3060cca99b42cdc4361d5a7 --hash=sha256:32a7b79ac57a2e83670ce329ccf675798bc5a2094783a63676866b70503f2e2b
urllib3==2.8.0 --hash=sha256:0cf3cae568d36aa9576b28dfb35f11328f1cb974ca7647d9475ebb86c75ac6e3
`;

// packages/builders/src/python/tools/uv.ts
var UV = `uv==0.13.9 --hash=sha256:56ec37616c00220032fc7b8c9d0ef51367fd0d70d9cd6ddd841660f949f84fed --hash=sha256:d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19 --hash=sha256:ecb6028d79dc96fbeafffe5c8af62a7099487ebc05a701e76714eebcffd06375
`;

// packages/builders/src/python/verify.py
var verify_default = `"""Proves that a wheel is for one machine: its tag, the suffix of its extensions, and every ELF file in it."""

import re
import struct
import zipfile

from problem import Problem

MACHINES = {0x3E: "x86_64", 0xB7: "aarch64"}


def verify(wheel, machine):
    """
    "pure" or "compiled".
    @param machine as in platform.machine(); None when the wheel must be pure.
    """
    name = wheel.rsplit("/", 1)[-1]
    tag = name.removesuffix(".whl").rsplit("-", 1)[1]
    with zipfile.ZipFile(wheel) as archive:
        found = {entry.filename: _machine(archive, entry) for entry in archive.infolist()}
    code = {path: of for path, of in found.items() if of is not None}
    if tag == "any" and not code:
        return "pure"
    if machine is None:
        raise Problem("BUILD", f"{name} was to be pure Python, and holds {', '.join(code) or 'code for ' + tag}")
    if not tag.endswith(f"_{machine}"):
        raise Problem("BUILD", f"{name} is not tagged for {machine}")
    for path, of in code.items():
        suffix = re.search(r"\\.cpython-\\w+-(\\w+)-linux-gnu\\.so$", path)
        if of != machine or (suffix is not None and suffix[1] != machine):
            raise Problem("BUILD", f"{name}: {path} is for {of} and was to be for {machine}")
    return "compiled"


def _machine(archive, entry):
    """The machine of an ELF file, None for any other file; e_machine is at byte 18, in the byte order of byte 5."""
    with archive.open(entry) as file:
        head = file.read(20)
    if head[:4] != b"\\x7fELF" or len(head) < 20:
        return None
    number = struct.unpack("<H" if head[5] == 1 else ">H", head[18:20])[0]
    return MACHINES.get(number, f"machine {number}")
`;

// packages/builders/src/python/wheels.py
var wheels_default = '"""Which wheel of a package is for which machine: PEP 425, 600 and 508."""\n\nimport platform\nimport sys\n\nfrom packaging import tags\nfrom packaging.markers import Marker\nfrom packaging.utils import InvalidWheelFilename, parse_wheel_filename\n\nLEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}\n\n\ndef supported(machine, glibc):\n    """Tags of a machine with their rank, best first; glibc is the highest minor version of glibc 2 to ask for."""\n    names = []\n    for minor in range(glibc, 4, -1):\n        names.append(f"manylinux_2_{minor}_{machine}")\n        if minor in LEGACY:\n            names.append(f"{LEGACY[minor]}_{machine}")\n    names.append(f"linux_{machine}")\n    version = sys.version_info[:2]\n    interpreter = f"cp{version[0]}{version[1]}"\n    ordered = [*tags.cpython_tags(version, [interpreter], names), *tags.compatible_tags(version, interpreter, names)]\n    return {tag: rank for rank, tag in reversed(list(enumerate(ordered)))}\n\n\ndef wanted(marker, machine):\n    """Whether a locked package is installed on a machine."""\n    if marker is None:\n        return True\n    facts = {"platform_machine": machine, "platform_system": "Linux", "sys_platform": "linux", "os_name": "posix"}\n    facts |= {"platform_release": "", "platform_version": "", "python_full_version": platform.python_version()}\n    return Marker(marker).evaluate(facts)\n\n\ndef best(wheels, ranks):\n    """The wheel an installer would choose, or None."""\n    found = None\n    for wheel in wheels:\n        try:\n            offered = parse_wheel_filename(wheel["file"])[3]\n        except InvalidWheelFilename:\n            continue\n        rank = min((ranks[tag] for tag in offered if tag in ranks), default=None)\n        if rank is not None and (found is None or rank < found[0]):\n            found = (rank, wheel)\n    return None if found is None else found[1]\n';

// packages/builders/src/python/tools.ts
var PROGRAM_FILES = {
  application: { "application.py": application_default, "layer.py": layer_default },
  lock: {
    "lock.py": lock_default,
    "lock_file.py": lock_file_default,
    "lock_poetry.py": lock_poetry_default,
    "lock_uv.py": lock_uv_default,
    "problem.py": problem_default,
    "project.py": project_default
  },
  plan: {
    "fetch.py": fetch_default2,
    "index.py": python_default,
    "plan.py": plan_default,
    "problem.py": problem_default,
    "sdist.py": sdist_default,
    "wheels.py": wheels_default
  },
  build: {
    "build.py": build_default,
    "index.py": python_default,
    "problem.py": problem_default,
    "sdist.py": sdist_default,
    "verify.py": verify_default
  },
  environment: {
    "environment.py": environment_default,
    "fetch.py": fetch_default2,
    "layer.py": layer_default,
    "problem.py": problem_default
  }
};
var DOWNLOADS = "/var/cache/tgo/downloads";
var TOOLS = "/opt/tgo";
var PROGRAM_FOLDER = "/run/tgo/python";
async function downloading({ context, service: service2 }, platform2) {
  const { client, secrets } = context;
  const container = withCaBundle(context, await baseImage(context, service2.build.base, platform2)).withMountedCache("/root/.cache/pip", client.cacheVolume("tgo-pip")).withMountedCache("/root/.cache/uv", client.cacheVolume("tgo-uv")).withMountedCache(DOWNLOADS, client.cacheVolume("tgo-python-downloads")).withEnvVariable("PIP_ROOT_USER_ACTION", "ignore").withEnvVariable("PIP_DISABLE_PIP_VERSION_CHECK", "1").withEnvVariable("PYTHONDONTWRITEBYTECODE", "1");
  return secrets.netrc === void 0 ? container : container.withMountedSecret("/root/.netrc", secrets.netrc);
}
async function withTools(request, platform2 = request.context.native) {
  const { context } = request;
  const base = await downloading(request, platform2);
  const container = base.withNewFile(`${TOOLS}/uv.txt`, UV).withNewFile(`${TOOLS}/programs.txt`, PROGRAMS).withExec([
    ...[
      "pip",
      "install",
      "--quiet",
      "--no-deps",
      "--no-compile",
      "--require-hashes",
      "--only-binary",
      ":all:"
    ],
    ...["--target", `${TOOLS}/uv`, "--index-url", pypi(context), "--requirement", `${TOOLS}/uv.txt`]
  ]).withEnvVariable("PATH", `${TOOLS}/uv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`).withExec(install2(context, "programs"));
  return told(context, container);
}
function withPoetry({ context }, tools) {
  return told(context, tools.withNewFile(`${TOOLS}/poetry.txt`, POETRY).withExec(install2(context, "poetry")));
}
function install2(context, set) {
  const uv = "uv pip install --quiet --no-config --no-deps --require-hashes --only-binary :all: --link-mode copy";
  const where2 = `--python ${TOOLS}/${set}/bin/python --requirements ${TOOLS}/${set}.txt`;
  const script = `uv venv --quiet --no-config ${TOOLS}/${set} && ${uv} ${where2} --default-index "$1"`;
  return ["sh", "-c", script, "sh", pypi(context)];
}
async function told(context, container) {
  try {
    return await container.sync();
  } catch (error2) {
    const from = context.catalog.mirrors.pypi === void 0 ? "They come from PyPI: where it is out of reach, set mirrors.pypi in tgo.catalog.json, or pass --mirror pypi=URL." : `They come from ${pypi(context)}, where mirrors.pypi (or --mirror pypi=URL) leads: check that it answers.`;
    throw buildError(
      "installing the tools of Python builds",
      `${from} Behind a proxy that inspects TLS: --ca-bundle FILE.`,
      error2
    );
  }
}
function pypi({ catalog }) {
  return catalog.mirrors.pypi ?? "https://pypi.org/simple";
}
function mirrorOption({ catalog }) {
  return catalog.mirrors.pypi === void 0 ? [] : ["--pypi", catalog.mirrors.pypi];
}
function withProgram(container, program) {
  return Object.entries(PROGRAM_FILES[program]).reduce(
    (result, [file, text2]) => result.withNewFile(`${PROGRAM_FOLDER}/${file}`, text2),
    container
  );
}
function run2(program, args, interpreter = "programs") {
  const python = interpreter === "base" ? "python3" : `${TOOLS}/${interpreter}/bin/python`;
  return [python, `${PROGRAM_FOLDER}/${program}.py`, ...args];
}

// packages/builders/src/python/application.ts
async function compileApplication({ context, service: service2, source }, workdir) {
  const native = await baseImage(context, service2.build.base, context.native);
  const time3 = `${epochSeconds(source.modified)}`;
  return withProgram(native, "application").withDirectory(workdir, source.directory.filter({ exclude: service2.build.exclude })).withExec(run2("application", [workdir, time3], "base")).directory(workdir);
}

// packages/builders/src/python/data.ts
async function makeData(request, environments) {
  const { context, service: service2, platforms } = request;
  if (service2.build.data.length === 0) return [];
  const installed2 = await installedPackages(context.native, environments);
  const entries2 = service2.build.data.filter((entry) => isFor(entry, installed2));
  if (entries2.length === 0) return [];
  const base = await downloading(request, context.native);
  const container = (await activateEnvironment(request, base, environments, context.native)).withWorkdir(
    "/work"
  );
  return Promise.all(
    entries2.map(async (entry) => {
      const path = entry.output;
      if (entry.platforms === void 0) {
        const directory = await made(request, container, entry);
        return { path, of: () => directory };
      }
      const variables2 = entry.platforms;
      const pairs = await Promise.all(
        platforms.map(async (platform2) => {
          const own2 = variables2[platform2];
          if (own2 === void 0) throw lackingVariables(request, entry, platform2);
          const told2 = Object.entries(own2).reduce(
            (result, [variable, value]) => result.withEnvVariable(variable, value),
            container
          );
          return [platform2, await made(request, told2, entry)];
        })
      );
      const byPlatform = new Map(pairs);
      return { path, of: (platform2) => byPlatform.get(platform2) ?? context.client.directory() };
    })
  );
}
async function installedPackages(native, environments) {
  const pattern = "lib/python*/site-packages/*.dist-info/METADATA";
  const found = await Promise.all(
    [environments.common, environments.of(native)].map((directory) => directory.glob(pattern))
  );
  return new Set(
    found.flat().map((path) => normal(/([^/]+?)-[^/-]+\.dist-info\/METADATA$/.exec(path)?.[1] ?? ""))
  );
}
function normal(name4) {
  return name4.replace(/[-_.]+/g, "-").toLowerCase();
}
function isFor(entry, installed2) {
  return entry.package === void 0 || installed2.has(normal(entry.package));
}
async function made({ context, name: name4 }, container, { command, output: output2 }) {
  const done = container.withExec([...command]);
  const remedy = `It is an entry of build.data of the service. It runs on ${context.native} with the locked packages, but without the source.`;
  try {
    await done.sync();
  } catch (error2) {
    throw buildError(`making data for ${name4} with "${command.join(" ")}"`, remedy, error2);
  }
  const isThere2 = await done.exists(output2);
  if (!isThere2 || (await done.directory(output2).entries()).length === 0) {
    throw new TgoError(
      "BUILD",
      `"${command.join(" ")}" left ${output2} of ${name4} ${isThere2 ? "empty" : "missing"}`,
      {
        where: "build.data",
        remedy: `${remedy} Let it write to that folder.`
      }
    );
  }
  return withNormalizedMetadata(context, done.directory(output2), LAYER_TIME);
}
function lackingVariables({ name: name4 }, { output: output2, platforms = {} }, platform2) {
  return new TgoError("CATALOG", `the data in ${output2} of ${name4} cannot be made for ${platform2}`, {
    where: "build.data",
    remedy: `Its platforms are ${Object.keys(platforms).join(", ") || "none"}: add the variables for ${platform2}.`
  });
}

// packages/builders/src/python/problem.ts
function programError(step, name4, error2) {
  const told2 = /^tgo-problem: (.*)$/m.exec(execFailure(error2)?.stderr ?? "")?.[1];
  if (told2 === void 0) return buildError(`${step} of ${name4}`, PYTHON_REMEDY, error2);
  const { code: code3, what, where: where2, remedy } = JSON.parse(told2);
  return new TgoError(code3, `${name4}: ${what}`, { where: where2 ?? void 0, remedy: remedy ?? void 0 });
}
var PYTHON_REMEDY = "If the lock is out of date: lock again and commit it. If a package has no wheel for a platform: choose a version that has one. If the index cannot be reached: set mirrors.pypi in tgo.catalog.json, or pass --mirror pypi=URL.";

// packages/builders/src/python/plan.ts
var MACHINES = { "linux/amd64": "x86_64", "linux/arm64": "aarch64" };
var GLIBC = 28;
function slug(platform2) {
  return platform2.replace("/", "-");
}
async function planPackages(request, tools, lock, platforms) {
  const file = withProgram(tools, "plan").withMountedDirectory("/run/tgo/lock", lock).withExec(
    run2("plan", [
      ...["--lock", "/run/tgo/lock", "--out", "/out", "--cache", DOWNLOADS, "--glibc", `${GLIBC}`],
      ...mirrorOption(request.context),
      ...platforms.flatMap((platform2) => ["--platform", `${slug(platform2)}=${MACHINES[platform2]}`])
    ])
  ).file("/out/plan.json");
  try {
    const plan = JSON.parse(await file.contents());
    return { file, sources: plan.sources, indexes: JSON.stringify(plan.indexes), notes: plan.notes };
  } catch (error2) {
    throw programError("looking up the packages", request.name, error2);
  }
}

// packages/builders/src/python/environment.ts
function installWheels(request, tools, plan, platforms) {
  const container = withProgram(tools, "environment").withMountedFile("/run/tgo/plan.json", plan.file);
  return install3(request, container, ["--plan", "/run/tgo/plan.json", "--skeleton"], platforms);
}
function installBuilt(request, tools, built, platforms) {
  let container = withProgram(tools, "environment");
  const args = [];
  for (const [index, { wheels, set }] of built.entries()) {
    container = container.withMountedDirectory(`/run/tgo/built/${index}`, wheels);
    args.push("--built", `${set}=/run/tgo/built/${index}`);
  }
  return install3(request, container, args, platforms);
}
function mergeEnvironments(request, parts) {
  const empty = request.context.client.directory();
  const join = (directories) => directories.reduce((result, directory) => result.withDirectory("/", directory), empty);
  const [only] = parts;
  if (only !== void 0 && parts.length === 1) return only;
  return {
    common: join(parts.map(({ common }) => common)),
    of: (platform2) => join(parts.map((part) => part.of(platform2)))
  };
}
async function install3({ name: name4, service: service2 }, container, args, platforms) {
  const out = container.withExec(
    run2("environment", [
      ...args,
      ...["--environment", service2.build.environment, "--out", "/out", "--cache", DOWNLOADS],
      ...["--time", `${LAYER_TIME}`],
      ...platforms.flatMap((platform2) => [
        "--platform",
        `${slug(platform2)}=${MACHINES[platform2]}-manylinux_2_${GLIBC}`
      ])
    ])
  ).directory("/out");
  try {
    await out.sync();
  } catch (error2) {
    throw programError("installing the packages", name4, error2);
  }
  return { common: out.directory("common"), of: (platform2) => out.directory(slug(platform2)) };
}

// packages/builders/src/python/requirements.ts
var INDEX_OPTION = /^(?:-i|--index-url|--extra-index-url|--trusted-host)[ =]/;
var PINNED2 = /^[A-Za-z0-9][\w.-]*(?:\[[\w,. -]+\])?\s*===?\s*[^\s;,*]+\s*(?:;.*)?$/;
function requireHashed(name4, file, text2) {
  let found = 0;
  for (const { line, number: number3 } of logicalLines(text2)) {
    if (line === "" || INDEX_OPTION.test(line)) continue;
    const [requirement = "", ...hashes] = line.split(/\s--hash[=\s]/);
    const problem3 = line.startsWith("-") ? "an option that would install something else than what is locked here" : !PINNED2.test(requirement.trim()) ? "not pinned to one version with ==" : hashes.length === 0 ? "without --hash" : void 0;
    if (problem3 !== void 0) {
      throw new TgoError("SOURCE", `a requirement of ${name4} is ${problem3}: ${line.slice(0, 120)}`, {
        where: `${file}:${number3}`,
        remedy: `Write the file with hashes, e.g. uv pip compile --generate-hashes requirements.in --output-file ${file}.`
      });
    }
    found += 1;
  }
  if (found > 0) return;
  throw new TgoError("SOURCE", `${file} of ${name4} has no requirements`, {
    remedy: "Name the right file in build.lock of the service."
  });
}
function logicalLines(text2) {
  const lines2 = [];
  let open3;
  for (const [index, raw] of text2.split(/\r?\n/).entries()) {
    const line = raw.replace(/(^|\s)#.*$/, "").trimEnd();
    const part = line.replace(/\\$/, "").trim();
    open3 = { line: open3 === void 0 ? part : `${open3.line} ${part}`, number: open3?.number ?? index + 1 };
    if (line.endsWith("\\")) continue;
    lines2.push(open3);
    open3 = void 0;
  }
  if (open3 !== void 0) lines2.push(open3);
  return lines2;
}

// packages/builders/src/python/lock.ts
var LOCKERS = {
  "poetry.lock": "poetry lock",
  "uv.lock": "uv lock",
  "requirements.txt": "uv pip compile --generate-hashes"
};
function findLock(name4, build2, entries2) {
  const present = new Set(entries2.map(bare));
  const wanted2 = build2.lock === void 0 ? Object.keys(LOCKERS) : [build2.lock];
  const found = wanted2.find((file) => present.has(file));
  if (found !== void 0) return found;
  const [first = ""] = wanted2;
  const command = LOCKERS[first] ?? "uv pip compile --generate-hashes";
  throw new TgoError("SOURCE", `${name4} has no ${wanted2.join(", ").replace(/, ([^,]*)$/, " or $1")}`, {
    remedy: `Run ${command} in the service's folder and commit the file (check that .dockerignore keeps it).`
  });
}
async function lockedRequirements(request, lock, tools) {
  const { name: name4, service: service2, source } = request;
  const poetry = lock === "poetry.lock";
  let container = withProgram(poetry ? await withPoetry(request, tools) : tools, "lock").withWorkdir("/work");
  for (const file of [lock, "pyproject.toml"]) {
    if (source.entries.includes(file)) container = container.withFile(file, source.directory.file(file));
  }
  const args = [lock, "/out", ...service2.build.groups];
  try {
    return await container.withExec(run2("lock", args, poetry ? "poetry" : "programs")).directory("/out").sync();
  } catch (error2) {
    throw programError("reading the lock", name4, error2);
  }
}
async function requireLock({ name: name4, service: service2, source }) {
  const lock = findLock(name4, service2.build, source.entries);
  if (lock.endsWith(".txt")) requireHashed(name4, lock, await source.directory.file(lock).contents());
  return lock;
}

// packages/builders/src/python/tools/backends.ts
var BACKENDS = `cffi==2.1.1 ; python_full_version >= '3.10'
cython==3.3.1 ; python_full_version >= '3.10'
exceptiongroup==1.3.1 ; python_full_version == '3.10.*'
flit-core==4.2.0 ; python_full_version >= '3.10'
hatch-fancy-pypi-readme==25.1.0 ; python_full_version >= '3.10'
hatch-vcs==0.5.0 ; python_full_version >= '3.10'
hatchling==1.33.0 ; python_full_version >= '3.10'
maturin==1.16.0 ; python_full_version >= '3.10'
meson==1.12.1 ; python_full_version >= '3.10'
meson-python==0.22.1 ; python_full_version >= '3.10'
numpy==2.2.6 ; python_full_version == '3.10.*'
numpy==2.4.6 ; python_full_version == '3.11.*'
numpy==2.5.5 ; python_full_version >= '3.12'
packaging==26.3 ; python_full_version >= '3.10'
pathspec==1.1.1 ; python_full_version >= '3.10'
pbr==7.1.3 ; python_full_version >= '3.10'
pdm-backend==2.5.0 ; python_full_version >= '3.10'
pluggy==1.7.0 ; python_full_version >= '3.10'
poetry-core==2.5.0 ; python_full_version >= '3.10'
pybind11==3.1.0 ; python_full_version >= '3.10'
pycparser==3.11 ; python_full_version == '3.10.*' and implementation_name != 'PyPy'
pycparser==3.12 ; python_full_version >= '3.11' and implementation_name != 'PyPy'
pyproject-metadata==0.12.1 ; python_full_version >= '3.10'
scikit-build-core==1.1.2 ; python_full_version >= '3.10'
setuptools==80.10.2 ; python_full_version >= '3.10'
setuptools-scm==10.3.4 ; python_full_version >= '3.10'
tomli==2.5.0 ; python_full_version == '3.10.*'
tomlkit==0.15.2 ; python_full_version >= '3.10'
trove-classifiers==2026.9.21.13 ; python_full_version >= '3.10'
typing-extensions==4.16.0 ; python_full_version == '3.10.*'
uv-build==0.13.6 ; python_full_version >= '3.10'
vcs-versioning==2.6.0 ; python_full_version >= '3.10'
wheel==0.45.1 ; python_full_version >= '3.10'
`;

// packages/builders/src/python/toolchain.ts
var DEBIAN = {
  "linux/amd64": { architecture: "amd64", triplet: "x86_64-linux-gnu" },
  "linux/arm64": { architecture: "arm64", triplet: "aarch64-linux-gnu" }
};
function toolchain(host, target, languages, libraries) {
  const { architecture: architecture2, triplet } = DEBIAN[target];
  const names = ["gcc", ...languages.includes("c++") ? ["g++"] : []];
  if (host === target) {
    const compilers2 = [...names, "libc6-dev", ...libraries];
    return { host, target, prefix: "", compilers: compilers2, hostHeaders: true, libraries };
  }
  const compilers = names.map((name4) => `${name4}-${triplet.replace("_", "-")}`);
  const more = [`libc6-dev-${architecture2}-cross`, ...libraries];
  return {
    ...{ host, target, prefix: `${triplet}-`, libraries },
    ...{ compilers: [...compilers, ...more], hostHeaders: false }
  };
}
function combineToolchains(chains) {
  const compilers = [...new Set(chains.flatMap((chain) => chain.compilers))];
  const hostHeaders = chains.some((chain) => chain.hostHeaders);
  return chains.map((chain) => ({ ...chain, compilers, hostHeaders }));
}
var TARGET2 = "/mnt/target";
async function withToolchain(request, container, { host, target, prefix, compilers, hostHeaders, libraries }) {
  const headers = await pythonHeaders(container);
  const builds = installed(request, host, container, [...compilers, ...hostHeaders ? headers : []]);
  if (host === target) return { container: await builds, options: [] };
  const options = ["--prefix", prefix];
  const [builder, root] = await Promise.all([
    builds,
    targetRoot(request, target, [...libraries, ...headers])
  ]);
  return {
    container: builder.withMountedDirectory(TARGET2, root, { readOnly: true }),
    options: libraries.length + headers.length === 0 ? options : [...options, "--sysroot", TARGET2]
  };
}
async function targetRoot(request, target, libraries) {
  const base = await baseImage(request.context, request.service.build.base, target);
  if (libraries.length === 0) return base.rootfs();
  return (await installed(request, target, base, ["libc6-dev", ...libraries])).rootfs();
}
async function pythonHeaders(container) {
  const official = await container.directory("/usr/local").glob("include/python3*/Python.h");
  return official.length > 0 ? [] : ["libpython3-dev"];
}
async function installed({ context, service: service2 }, platform2, container, packages) {
  const build2 = { base: service2.build.base, packages };
  try {
    const result = await withSystemPackages({ context, service: { build: build2 } }, { platform: platform2, container });
    return await result.container.sync();
  } catch (error2) {
    if (!isTgoError(error2) || error2.where !== "build.packages") throw error2;
    throw new TgoError(error2.code, error2.what, {
      where: "build.buildPackages",
      remedy: error2.remedy?.replaceAll("build.packages", "build.buildPackages"),
      cause: error2
    });
  }
}

// packages/builders/src/python/sources.ts
async function buildSources(request, tools, plan, platforms) {
  const wantedBy = (source) => platforms.filter((platform2) => source.platforms.includes(slug(platform2)));
  const compiling = plan.sources.filter(({ languages }) => languages.length > 0);
  const chains = toolchains(request, compiling, [...new Set(compiling.flatMap(wantedBy))]);
  const parts = await Promise.all(
    plan.sources.map((source) => {
      const builder = { request, plan, source, tools, chains };
      return source.languages.length === 0 ? pure(builder, wantedBy(source), platforms) : compiled(builder, wantedBy(source));
    })
  );
  return { built: parts.flatMap(({ built }) => built), notes: parts.flatMap(({ notes }) => notes) };
}
function toolchains({ context, service: service2 }, sources, targets) {
  const languages = sources.flatMap((source) => source.languages);
  return combineToolchains(
    targets.map((target) => toolchain(context.native, target, languages, service2.build.buildPackages))
  );
}
async function pure(builder, wanted2, all) {
  const wheel = await build(builder, builder.tools, []);
  const sets = wanted2.length === all.length ? ["shared"] : wanted2.map(slug);
  return {
    built: sets.map((set) => ({ set, wheels: wheel.wheels })),
    notes: [`${title(builder.source)} has no wheel: built from source once (pure Python)${free([wheel])}`]
  };
}
async function compiled(builder, wanted2) {
  const results = await Promise.all(
    wanted2.map(async (platform2) => ({ platform: platform2, ...await compile2(builder, platform2) }))
  );
  requireAlike(builder.source, results);
  const ways = results.map(
    ({ platform: platform2, way, because }) => `${way} for ${platform2}${because === void 0 ? "" : ` (${because})`}`
  );
  return {
    built: results.map(({ platform: platform2, wheel }) => ({ set: slug(platform2), wheels: wheel.wheels })),
    notes: [
      `${title(builder.source)} has no wheel: built from source ${ways.join(", ")}${free(results.map(({ wheel }) => wheel))}` + (results.some(({ wheel }) => wheel.kind === "pure") ? "; nothing of it was compiled" : "")
    ]
  };
}
function requireAlike(source, results) {
  const without = results.filter(({ wheel }) => wheel.kind === "pure").map(({ platform: platform2 }) => platform2);
  if (without.length === 0 || without.length === results.length) return;
  throw new TgoError(
    "BUILD",
    `${title(source)} was built without its compiled part for ${without.join(", ")}, and with it elsewhere`,
    { remedy: "Add what its extension needs to build.buildPackages of the service." }
  );
}
async function compile2(builder, platform2) {
  const chain = builder.chains.find(({ target }) => target === platform2);
  if (chain === void 0) throw new TgoError("INTERNAL", `no toolchain for ${platform2}`);
  const native = () => buildWith(builder, builder.tools, chain);
  if (chain.prefix === "") return { wheel: await native(), way: "natively" };
  try {
    return { wheel: await native(), way: "cross-compiled" };
  } catch (error2) {
    if (!isTgoError(error2) || error2.code !== "BUILD") throw error2;
    return {
      wheel: await emulated(builder, platform2, error2),
      way: "under emulation",
      because: "it does not cross-compile"
    };
  }
}
async function emulated(builder, platform2, first) {
  const { request, source } = builder;
  const own2 = toolchain(platform2, platform2, source.languages, request.service.build.buildPackages);
  try {
    const tools = oneThread(await withTools(request, platform2));
    return await despiteEmulator(() => buildWith(builder, tools, own2));
  } catch (error2) {
    if (!isTgoError(error2) || error2.code !== "BUILD") throw error2;
    throw new TgoError(
      "BUILD",
      `${title(source)} has no wheel for ${platform2}, and cannot be built from source.
Cross-compiled: ${first.what}
Under emulation: ${error2.what}`,
      {
        remedy: "Add what it needs to build.buildPackages of the service, lock a version that has a wheel, or build without that platform: --platform.",
        cause: error2
      }
    );
  }
}
function oneThread(tools) {
  return tools.withEnvVariable("TOKIO_WORKER_THREADS", "1").withEnvVariable("RAYON_NUM_THREADS", "1").withEnvVariable("UV_CONCURRENT_BUILDS", "1").withEnvVariable("UV_CONCURRENT_INSTALLS", "1");
}
var EMULATOR_TRIES = 3;
async function despiteEmulator(build2) {
  for (let attempt2 = 1; ; attempt2 += 1) {
    try {
      return await build2();
    } catch (error2) {
      const crashed = isTgoError(error2) && error2.what.includes("qemu: uncaught target signal");
      if (!crashed || attempt2 === EMULATOR_TRIES) throw error2;
    }
  }
}
async function buildWith(builder, tools, chain) {
  const { container, options } = await withToolchain(builder.request, tools, chain);
  return build(builder, container, ["--machine", MACHINES[chain.target], ...options]);
}
async function build(builder, container, args) {
  const { request, plan, source } = builder;
  const out = withProgram(container, "build").withNewFile("/run/tgo/constraints.txt", BACKENDS).withExec(
    run2("build", [
      ...["--archive", `${DOWNLOADS}/${source.sha256}/${source.file}`, "--name", title(source)],
      ...["--out", "/out", "--constraints", "/run/tgo/constraints.txt", "--indexes", plan.indexes],
      ...mirrorOption(request.context),
      ...args
    ])
  ).directory("/out");
  try {
    const told2 = JSON.parse(await out.file("built.json").contents());
    return { ...told2, wheels: out.directory("wheels") };
  } catch (error2) {
    throw programError(`building ${title(source)} from source`, request.name, error2);
  }
}
function title({ name: name4, version: version2 }) {
  return `${name4} ${version2}`;
}
function free(wheels) {
  const names = [...new Set(wheels.flatMap(({ unpinned }) => unpinned))];
  return names.length === 0 ? "" : `, with the newest ${names.join(", ")} it allows`;
}

// packages/builders/src/python/build-python.ts
async function buildPython(request) {
  const { context, service: service2, platforms } = request;
  const lock = await requireLock(request);
  const bases = Promise.all(
    platforms.map(async (platform2) => {
      const base = await baseImage(context, service2.build.base, platform2);
      return { platform: platform2, ...await withSystemPackages(request, { platform: platform2, container: base }) };
    })
  );
  bases.catch(() => void 0);
  const tools = await withTools(request);
  const requirements = await lockedRequirements(request, lock, tools);
  const workdir = service2.image.workdir ?? "/app";
  const packages = installPackages(request, tools, requirements);
  const [roots, { environments, notes }, application] = await Promise.all([
    bases,
    packages,
    compileApplication(request, workdir)
  ]);
  const data = await makeData(request, environments);
  const variants2 = await Promise.all(
    roots.map(async ({ platform: platform2, container }) => {
      const environment = await activateEnvironment(request, container, environments, platform2);
      const filled2 = data.reduce(
        (result, { path, of }) => result.withDirectory(path, of(platform2)),
        environment
      );
      const variant = filled2.withDirectory(workdir, application).withWorkdir(workdir);
      return { platform: platform2, container: await configureImage(request, variant) };
    })
  );
  return { variants: variants2, notes: [...notes, ...roots.flatMap((root) => root.notes)] };
}
async function installPackages(request, tools, requirements) {
  const { context, service: service2, platforms: wanted2 } = request;
  const platforms = [...wanted2];
  if (service2.build.data.length > 0 && !platforms.includes(context.native)) platforms.push(context.native);
  const plan = await planPackages(request, tools, requirements, platforms);
  const [installed2, { built, notes }] = await Promise.all([
    installWheels(request, tools, plan, platforms),
    buildSources(request, tools, plan, platforms)
  ]);
  const parts = [installed2];
  if (built.length > 0) parts.push(await installBuilt(request, tools, built, platforms));
  return { environments: mergeEnvironments(request, parts), notes: [...plan.notes, ...notes] };
}

// packages/builders/src/static-web/npm-lock.ts
var import_satisfies = __toESM(require_satisfies(), 1);
var import_valid = __toESM(require_valid(), 1);
var import_valid2 = __toESM(require_valid2(), 1);

// packages/builders/src/static-web/manifest.ts
var Dependencies = record(string2(), string2()).default({});
var PackageJson = looseObject({
  packageManager: string2().optional(),
  engines: looseObject({ node: string2().optional() }).default({}),
  scripts: record(string2(), string2()).default({}),
  dependencies: Dependencies,
  devDependencies: Dependencies,
  optionalDependencies: Dependencies,
  resolutions: Dependencies,
  workspaces: unknown().optional()
});
function parsePackageJson(service2, text2) {
  const parsed = PackageJson.safeParse(parseJson2(service2, text2));
  if (parsed.success) return parsed.data;
  throw new TgoError(
    "SOURCE",
    `the package.json of ${service2} cannot be read
${prettifyError(parsed.error)}`,
    {
      remedy: "Mend the file."
    }
  );
}
function parseJson2(service2, text2) {
  try {
    return JSON.parse(text2);
  } catch (cause) {
    throw new TgoError("SOURCE", `the package.json of ${service2} is not valid JSON: ${errorMessage(cause)}`, {
      remedy: "Mend the file.",
      cause
    });
  }
}
function installManifest(manifest) {
  const kept = Object.entries(manifest).filter(([field]) => field !== "version" && field !== "scripts");
  return `${JSON.stringify(Object.fromEntries(kept), null, 2)}
`;
}
var AFTER_INSTALL = ["install", "postinstall", "prepare"];
function scriptsAfterInstall({ scripts }) {
  return AFTER_INSTALL.filter((script) => script in scripts);
}
function requested(manifest) {
  return { ...manifest.devDependencies, ...manifest.dependencies, ...manifest.optionalDependencies };
}
function hasLocalDependency(manifest) {
  return Object.values(requested(manifest)).some((range) => /^(?:file|link|portal):|^\.{0,2}\//.test(range));
}
function refuseWorkspaces(service2, manifest, pnpmWorkspace) {
  const { workspaces } = manifest;
  const globs = Array.isArray(workspaces) ? workspaces : object({ packages: array(unknown()) }).safeParse(workspaces).data?.packages;
  const listed2 = /^packages:\s*\n((?:[ \t]*-.*\n?|[ \t]*#.*\n|\s*\n)+)/m.exec(pnpmWorkspace ?? "")?.[1] ?? "";
  const others = listed2.split("\n").filter((line) => /^\s*-/.test(line) && !/^\s*-\s*["']?\.\/?["']?\s*$/.test(line));
  const where2 = (globs?.length ?? 0) > 0 ? "workspaces in package.json" : others.length > 0 ? "packages in pnpm-workspace.yaml" : void 0;
  if (where2 === void 0) return;
  throw new TgoError(
    "SOURCE",
    `${service2} is the root of several packages, which this strategy cannot install`,
    {
      where: where2,
      remedy: "Give the service's own package a lock file and pass its folder, or build it with the dockerfile strategy."
    }
  );
}

// packages/builders/src/static-web/npm-lock.ts
var NpmLock = looseObject({
  packages: record(
    string2(),
    looseObject({ version: string2().optional(), integrity: string2().optional() })
  )
});
function requireNpmLocked(service2, manifest, text2) {
  const lock = parse4(text2);
  if (lock === void 0) return;
  const lacking = Object.entries(requested(manifest)).flatMap(([name4, range]) => {
    const version2 = lock.packages[`node_modules/${name4}`]?.version;
    if (version2 === void 0) {
      return name4 in manifest.optionalDependencies ? [] : [`${name4}@${range}`];
    }
    const comparable = (0, import_valid2.default)(range) !== null && (0, import_valid.default)(version2) !== null;
    return comparable && !(0, import_satisfies.default)(version2, range) ? [`${name4}@${range} (it has ${version2})`] : [];
  });
  if (lacking.length === 0) return;
  throw new TgoError(
    "SOURCE",
    `package-lock.json of ${service2} does not match package.json: it lacks ${lacking.join(", ")}`,
    {
      where: "package-lock.json",
      remedy: "Run npm install in the service's folder and commit package-lock.json."
    }
  );
}
function lockedWith(text2, integrity) {
  const entries2 = Object.entries(parse4(text2)?.packages ?? {});
  const [path, entry] = entries2.find(([, candidate]) => candidate.integrity === integrity) ?? [];
  return path === void 0 ? void 0 : `${path.replace(/^.*node_modules\//, "")}@${entry?.version ?? ""}`;
}
function parse4(text2) {
  try {
    return NpmLock.safeParse(JSON.parse(text2)).data;
  } catch {
    return void 0;
  }
}

// packages/builders/src/static-web/install-failure.ts
var REASONS2 = [
  {
    sign: /needs to be updated, but yarn was run with|can only install (?:packages )?when your package\.json|ERR_PNPM_OUTDATED_LOCKFILE|ERR_PNPM_LOCKFILE_CONFIG_MISMATCH/,
    what: (service2, { lock }) => `${lock} of ${service2} does not match package.json`,
    remedy: ({ name: name4, lock }) => `Run ${name4} install in the service's folder and commit ${lock}.`,
    lines: /Missing:|Invalid:|specifiers in the lockfile|\* \d+ dependenc|lockfile/
  },
  {
    sign: /ERR_PNPM_(?:LOCKFILE_BREAKING_CHANGE|NO_LOCKFILE|BROKEN_LOCKFILE)|Invalid (?:value type|lockfile)|EUSAGE/,
    what: (service2, { name: name4, lock }) => `${lock} of ${service2} cannot be read by ${name4}`,
    remedy: () => "Set packageManager in package.json to the version that wrote it.",
    lines: /ERR_PNPM|EUSAGE|[Ll]ockfile/
  },
  {
    sign: /integrity check|EINTEGRITY|ERR_PNPM_TARBALL_INTEGRITY|Incorrect integrity/i,
    what: (service2, { lock }) => `a package of ${service2} has another hash than ${lock} says`,
    remedy: ({ lock }) => `Check the registry or mirror. If the package was published anew, update it in ${lock} and look at what changed.`,
    lines: /integrity/i
  },
  {
    sign: /"40[13] |\b40[13] (?:Unauthorized|Forbidden)|E40[13]\b|ERR_PNPM_FETCH_40[13]/,
    what: (service2) => `the npm registry refuses a package of ${service2}`,
    remedy: () => "Pass credentials for the registry by --npmrc file:$HOME/.npmrc, and check that they may read it.",
    lines: /40[13] |E40[13]|https?:/
  },
  {
    sign: /404 Not Found|E404|ERR_PNPM_FETCH_404|ETARGET|ERR_PNPM_NO_MATCHING_VERSION|Couldn't find (?:package|any versions)/,
    what: (service2, { lock }) => `a package that ${lock} of ${service2} names is not in the registry`,
    remedy: ({ lock }) => `It may have been removed or be private, or the registry did not answer: update ${lock}, or set the registry that has it (mirrors.npm in tgo.catalog.json, .npmrc).`,
    lines: / 404 |404 Not|"404|E404|ETARGET|Couldn't find|No matching/
  },
  {
    sign: /UNABLE_TO_(?:GET_ISSUER|VERIFY_LEAF)|SELF_SIGNED_CERT|CERT_[A-Z_]+|unable to (?:get local issuer|verify the first)|self.signed certificate/i,
    what: (service2) => `the npm registry's certificate is not trusted while ${service2} is installed`,
    remedy: () => "Behind a proxy that inspects TLS, pass its certificates by --ca-bundle FILE.",
    lines: /cert|issuer/i
  },
  {
    sign: /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ESOCKETTIMEDOUT|trouble with your network|ERR_SOCKET_TIMEOUT|ERR_PNPM_META_FETCH_FAIL|"50\d |E50[234]\b|ERR_PNPM_FETCH_50\d/,
    what: (service2) => `the npm registry cannot be reached while ${service2} is installed`,
    remedy: () => "Check the network; a mirror is set by mirrors.npm in tgo.catalog.json.",
    lines: /ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|https?:/
  },
  {
    sign: /The engine "\w+" is incompatible|EBADENGINE|ERR_PNPM_UNSUPPORTED_ENGINE/,
    what: (service2) => `a package of ${service2} does not run on the builder's Node`,
    remedy: () => "Set build.builder of the service in tgo.catalog.json to an image with a Node that all packages take.",
    lines: /engine|Expected version|Got|Required|Actual/i
  }
];
function installFailure(service2, { manager, lock }, error2) {
  if (isTgoError(error2)) return error2;
  const failure3 = execFailure(error2);
  const output2 = failure3 === void 0 ? "" : `${failure3.stdout}
${failure3.stderr}`;
  const reason = REASONS2.find(({ sign }) => sign.test(output2));
  if (failure3 === void 0 || reason === void 0) {
    return buildError(
      `installing the packages of ${service2}`,
      `Run ${manager.name} install in the service's folder: what fails there fails here.`,
      error2
    );
  }
  return new TgoError("BUILD", `${reason.what(service2, manager)}
${telling(failure3, reason.lines)}`, {
    where: packageWithHash(output2, lock),
    remedy: reason.remedy(manager),
    cause: error2
  });
}
function packageWithHash(output2, lock) {
  const wanted2 = /EINTEGRITY[^]*?wanted (sha\d+-\S+)/.exec(output2)?.[1];
  return wanted2 === void 0 ? void 0 : lockedWith(lock, wanted2);
}
function telling(failure3, lines2) {
  const matching = `${failure3.stdout}
${failure3.stderr}`.split("\n").filter((line) => lines2.test(line) && !/^\s+at |Visit https|yarnpkg\.com\/en\/docs/.test(line));
  if (matching.length === 0) return lastLines(failure3, 10);
  return lastLines({ stdout: [...new Set(matching)].slice(0, 10).join("\n"), stderr: "" }, 10);
}

// packages/builders/src/static-web/lock-hosts.ts
var PUBLIC = /https?:\/\/(?:registry\.npmjs\.org|registry\.yarnpkg\.com|registry\.npmmirror\.com)\//g;
function throughMirror(lock, mirror) {
  return mirror === void 0 ? lock : lock.replaceAll(PUBLIC, `${mirror.replace(/\/+$/, "")}/`);
}

// packages/builders/src/static-web/manager.sh
var manager_default = `# Puts a package manager of an exact version into PREFIX, unless the image has that one:
#   manager.sh PREFIX NAME VERSION [ALGORITHM HASH]
# The hash is of the package as the registry has it, as in package.json's packageManager. Exit code 65: another one.
set -eu
prefix=$1 name=$2 version=$3 algorithm=\${4:-} expected=\${5:-}

if command -v "$name" >/dev/null && [ "$("$name" --version 2>/dev/null)" = "$version" ]; then
  exit 0
fi

what=$name@$version
if [ -n "$algorithm" ]; then
  mkdir -p /tmp/tgo-manager
  cd /tmp/tgo-manager
  npm pack --loglevel=error "$what" >/dev/null
  set -- *.tgz
  actual=$(node -p 'crypto.createHash(process.argv[1]).update(fs.readFileSync(process.argv[2])).digest("hex")' \\
    "$algorithm" "$1")
  if [ "$actual" != "$expected" ]; then
    echo "$algorithm.$actual" >&2
    exit 65
  fi
  what=$PWD/$1
fi
npm install --global --prefix "$prefix" --no-audit --no-fund --no-update-notifier --loglevel=error "$what"
`;

// packages/builders/src/static-web/node-version.ts
var import_min_version = __toESM(require_min_version(), 1);
var import_valid3 = __toESM(require_valid2(), 1);
var import_satisfies2 = __toESM(require_satisfies(), 1);
function requireNode(service2, range, actual, builder) {
  const version2 = actual.trim().replace(/^v/, "");
  if ((0, import_valid3.default)(range) === null || (0, import_satisfies2.default)(version2, range)) return;
  throw new TgoError("SOURCE", `${service2} asks for Node ${range}, and the builder image has ${version2}`, {
    where: `engines.node in package.json; ${builder}`,
    remedy: `Set build.builder of the service in tgo.catalog.json to an image with it, such as docker.io/library/node:${(0, import_min_version.default)(range)?.major ?? 24}-alpine.`
  });
}

// packages/builders/src/static-web/install.ts
var PROJECT = "/app";
var PREFIX = "/opt/tgo";
var CACHES = "/var/cache/tgo";
var NPMRC = "/root/.npmrc";
var INSTALL = {
  // Its cache is not made for two at a time: the second waits.
  yarn: [
    ...["yarn", "install", "--frozen-lockfile", "--non-interactive", "--no-progress"],
    ...["--network-timeout", "300000", "--mutex", `file:${CACHES}/yarn/.mutex`]
  ],
  npm: ["npm", "ci", "--no-audit", "--no-fund"],
  pnpm: ["pnpm", "install", "--frozen-lockfile", "--store-dir", `${CACHES}/pnpm`]
};
var SETTINGS = [".npmrc", ".yarnrc", "pnpm-workspace.yaml", ".pnpmfile.cjs"];
var SETTINGS_FOLDERS = {
  // A yarn the project has committed, and archives of packages.
  yarn: [".yarn"],
  npm: [],
  pnpm: ["patches"]
};
async function installPackages2(request, project) {
  const { context, name: name4, service: service2, source } = request;
  const { manager, manifest } = project;
  const node2 = withCaBundle(context, await baseImage(context, service2.build.builder, context.native));
  if (manifest.engines.node !== void 0) {
    const version2 = await node2.withExec(["node", "--version"]).stdout();
    requireNode(name4, manifest.engines.node, version2, service2.build.builder);
  }
  const withManager = await provide(request, manager, configured(context, node2, manager.name));
  let builder = withManager.withWorkdir(PROJECT);
  const present = new Set(source.entries.map(bare));
  if (hasLocalDependency(manifest)) builder = builder.withDirectory(".", source.directory);
  for (const file of SETTINGS.filter((file2) => present.has(file2))) {
    builder = builder.withFile(file, source.directory.file(file));
  }
  for (const folder of SETTINGS_FOLDERS[manager.name].filter((folder2) => present.has(folder2))) {
    builder = builder.withDirectory(folder, source.directory.directory(folder));
  }
  const installed2 = builder.withNewFile("package.json", installManifest(manifest)).withNewFile(manager.lock, throughMirror(project.lock, context.catalog.mirrors.npm)).withExec([...INSTALL[manager.name]]);
  try {
    return withoutSecrets(context, await installed2.sync());
  } catch (error2) {
    throw installFailure(name4, project, error2);
  }
}
function configured(context, container, manager) {
  const { npm } = context.catalog.mirrors;
  let result = container.withEnvVariable("CI", "true").withEnvVariable("NO_COLOR", "1").withEnvVariable("npm_config_cache", `${CACHES}/npm`).withEnvVariable("npm_config_update_notifier", "false").withEnvVariable("npm_config_fetch_retries", "3").withEnvVariable("npm_config_fetch_retry_factor", "2").withEnvVariable("npm_config_fetch_retry_mintimeout", "1000").withEnvVariable("YARN_CACHE_FOLDER", `${CACHES}/yarn`);
  for (const tool of /* @__PURE__ */ new Set(["npm", manager])) {
    result = result.withMountedCache(`${CACHES}/${tool}`, context.client.cacheVolume(`tgo-${tool}`));
  }
  if (npm !== void 0) {
    for (const variable of ["npm_config_registry", "YARN_REGISTRY", "pnpm_config_registry"]) {
      result = result.withEnvVariable(variable, npm);
    }
  }
  const { npmrc } = context.secrets;
  return npmrc === void 0 ? result : result.withMountedSecret(NPMRC, npmrc);
}
function withoutSecrets(context, container) {
  return context.secrets.npmrc === void 0 ? container : container.withoutMount(NPMRC);
}
async function provide(request, { name: name4, version: version2, hash }, container) {
  if (version2 === void 0) return container;
  const path = await container.envVariable("PATH");
  const script = "/run/tgo/manager.sh";
  const args = [PREFIX, name4, version2, ...hash === void 0 ? [] : [hash.algorithm, hash.hex]];
  try {
    return await container.withEnvVariable("PATH", `${PREFIX}/bin:${path === "" ? "/usr/local/bin:/usr/bin:/bin" : path}`).withNewFile(script, manager_default).withExec(["sh", script, ...args]).sync();
  } catch (error2) {
    if (execFailure(error2)?.exitCode === 65) {
      throw new TgoError(
        "BUILD",
        `${name4} ${version2} from the registry has another hash than packageManager says`,
        {
          where: `package.json of ${request.name}: ${hash?.algorithm}.${hash?.hex}; found ${execFailure(error2)?.stderr.trim()}`,
          remedy: "Check the registry or mirror; if the hash in package.json is wrong, write the one found.",
          cause: error2
        }
      );
    }
    throw buildError(
      `fetching ${name4} ${version2}, which package.json names,`,
      "Check that the version exists, and that the npm registry can be reached (mirrors.npm in tgo.catalog.json, --ca-bundle FILE).",
      error2
    );
  }
}

// packages/builders/src/static-web/pages.ts
var RUN = {
  yarn: ["yarn", "--silent", "run"],
  npm: ["npm", "--silent", "run"],
  pnpm: ["pnpm", "--silent", "run"]
};
async function buildPages(request, project, builder) {
  const { service: service2, source, values } = request;
  let pages = builder.withDirectory(PROJECT, source.directory).withEnvVariable("SOURCE_DATE_EPOCH", `${LAYER_TIME}`).withEnvVariable("pnpm_config_verify_deps_before_run", "false");
  for (const [variable, value] of Object.entries(values)) pages = pages.withEnvVariable(variable, value);
  for (const script of [...scriptsAfterInstall(project.manifest), service2.build.script]) {
    pages = pages.withExec([...RUN[project.manager.name], script]);
  }
  try {
    pages = await pages.sync();
  } catch (error2) {
    throw scriptFailure(request, project, error2);
  }
  return output(request, pages);
}
function scriptFailure({ name: name4 }, { manager }, error2) {
  const failure3 = execFailure(error2);
  const script = failure3?.cmd.at(-1) ?? "build";
  return buildError(
    `the script "${script}" of ${name4}`,
    remedyFor(failure3, `${manager.name} run ${script}`),
    error2
  );
}
function remedyFor(failure3, command) {
  const printed = failure3 === void 0 ? "" : `${failure3.stdout}
${failure3.stderr}`;
  if (failure3?.exitCode === 137 || /heap out of memory|SIGKILL|\bKilled\b/.test(printed)) {
    return "It ran out of memory: give the engine more, or set NODE_OPTIONS in the script.";
  }
  if (NO_NATIVE_PACKAGE.test(printed)) {
    return "The lock has no package for this platform: delete it and node_modules, install on Linux, and commit the new lock.";
  }
  return `Run ${command} in a fresh checkout of the service: what fails there fails here.`;
}
var NO_NATIVE_PACKAGE = /native binding|bug related to optional dependencies|Cannot find module ['"][^'"]*linux-/i;
async function output(request, built) {
  const { name: name4, service: service2, source } = request;
  const { output: folder, script, singlePage } = service2.build;
  const wrong = (what, remedy) => new TgoError("BUILD", what, { where: "build.output", remedy });
  if (!await built.exists(`${PROJECT}/${folder}`)) {
    const before = /* @__PURE__ */ new Set([...source.entries.map(bare), "node_modules"]);
    const written = (await built.directory(PROJECT).entries()).map(bare).filter((entry) => !before.has(entry));
    throw wrong(
      `the script "${script}" of ${name4} left no folder ${folder}`,
      `Set build.output to the folder it writes. It wrote: ${written.join(", ") || "nothing new"}.`
    );
  }
  const pages = built.directory(folder);
  const entries2 = (await pages.entries()).map(bare);
  if (entries2.length === 0) {
    throw wrong(
      `the script "${script}" of ${name4} left the folder ${folder} empty`,
      "Look at what the script does."
    );
  }
  if (singlePage && !entries2.includes("index.html")) {
    throw wrong(
      `the folder ${folder} of ${name4} has no index.html`,
      `Set build.output to the folder with it, or singlePage to false. There: ${entries2.slice(0, 12).join(", ")}.`
    );
  }
  return pages;
}

// packages/builders/src/static-web/package-manager.ts
var MANAGERS = ["yarn", "npm", "pnpm"];
var LOCKS = {
  yarn: "yarn.lock",
  npm: "package-lock.json",
  pnpm: "pnpm-lock.yaml"
};
var FIELD = /^(?<name>[^@]+)@(?<version>\d+\.\d+\.\d+[^+\s]*)(?:\+(?<algorithm>sha\d+)\.(?<hex>[0-9a-f]+))?$/;
var YARN = "1.22.22";
var PNPM = { "6": "8.15.9", "9": "10.34.8" };
function choosePackageManager(service2, { packageManager: field }, present) {
  const found = MANAGERS.filter((name5) => present.has(LOCKS[name5]));
  if (field === void 0) {
    const [name5, ...others] = found;
    if (name5 === void 0) throw noLock(service2, Object.values(LOCKS).join(", "));
    if (others.length === 0) return { name: name5, lock: LOCKS[name5], version: void 0, hash: void 0 };
    throw new TgoError(
      "SOURCE",
      `${service2} has ${listed(found)}, and package.json does not say which counts`,
      {
        where: "package.json",
        remedy: `Set packageManager, such as "yarn@${YARN}", or remove the locks that are not kept up to date.`
      }
    );
  }
  const { name: name4, version: version2, algorithm, hex } = FIELD.exec(field)?.groups ?? {};
  const known = MANAGERS.find((manager) => manager === name4);
  if (known === void 0 || version2 === void 0) {
    throw new TgoError(
      "SOURCE",
      `${service2} asks for the package manager "${field}", which this product cannot run`,
      {
        where: "packageManager in package.json",
        remedy: `Name one of ${MANAGERS.join(", ")} with its exact version, such as "yarn@${YARN}", or build with the dockerfile strategy.`
      }
    );
  }
  if (known === "yarn" && !version2.startsWith("1.")) throw yarnBerry(service2, `yarn ${version2}`);
  if (!present.has(LOCKS[known])) throw noLock(service2, LOCKS[known], field, found);
  const hash = algorithm === void 0 || hex === void 0 ? void 0 : { algorithm, hex };
  return { name: known, lock: LOCKS[known], version: version2, hash };
}
function withVersion(service2, manager, lock) {
  if (manager.name === "yarn" && /^__metadata:/m.test(lock)) throw yarnBerry(service2, "yarn 2 or newer");
  if (manager.version !== void 0 || manager.name === "npm") return manager;
  if (manager.name === "yarn") return { ...manager, version: YARN };
  const format = /^lockfileVersion:\s*['"]?(\d+)/m.exec(lock)?.[1];
  const version2 = PNPM[format ?? ""];
  if (version2 !== void 0) return { ...manager, version: version2 };
  throw new TgoError(
    "SOURCE",
    `the pnpm-lock.yaml of ${service2} has the format ${format ?? "of no version"}`,
    {
      remedy: 'Set packageManager in package.json to the pnpm that wrote it, such as "pnpm@7.33.7".'
    }
  );
}
function noLock(service2, expected, field, found = []) {
  const instead = found.length === 0 ? "" : `, but ${listed(found)}`;
  return new TgoError(
    "SOURCE",
    `${service2} has no ${expected.replace(/, (?=[^,]*$)/, " or ")}${instead}${field === void 0 ? "" : `; packageManager says ${field}`}`,
    { remedy: "Install in the service's folder and commit the lock (check that .dockerignore keeps it)." }
  );
}
function yarnBerry(service2, what) {
  return new TgoError("SOURCE", `${service2} uses ${what}; only yarn 1 is supported yet`, {
    where: "package.json",
    remedy: "Use yarn 1, npm or pnpm, or build with the dockerfile strategy."
  });
}
function listed(managers) {
  return managers.map((name4) => LOCKS[name4]).join(" and ");
}

// packages/builders/src/static-web/yarn-lock.ts
function parseYarnLock(text2) {
  const entries2 = [];
  let section = "";
  for (const line of text2.split(/\r?\n/)) {
    if (line === "" || line.startsWith("#")) continue;
    const entry = entries2.at(-1);
    const indent2 = line.length - line.trimStart().length;
    const words = [...line.matchAll(/"((?:[^"\\]|\\.)*)"|([^\s,:"][^\s,"]*)/g)].map(
      ([, quoted, plain]) => quoted ?? plain ?? ""
    );
    if (indent2 === 0) {
      const patterns = words.map((word) => word.replace(/:$/, ""));
      entries2.push({ patterns, version: "", dependencies: {} });
    } else if (indent2 === 2) {
      section = (words[0] ?? "").replace(/:$/, "");
      if (entry !== void 0 && section === "version") entry.version = words[1] ?? "";
    } else if (entry !== void 0 && section === "dependencies" && words[0] !== void 0) {
      entry.dependencies[words[0]] = words[1] ?? "";
    }
  }
  return entries2;
}
function requireLocked(service2, manifest, entries2) {
  const locked = new Set(entries2.flatMap(({ patterns }) => patterns));
  const overridden = new Set(
    Object.keys(manifest.resolutions).map((path) => /(?:@[^/]+\/)?[^/]+$/.exec(path)?.[0])
  );
  const missing2 = (wanted2, by) => Object.entries(wanted2).filter(
    ([name4, range]) => !range.startsWith("link:") && !overridden.has(name4) && !locked.has(`${name4}@${range}`)
  ).map(([name4, range]) => `${name4}@${range} (${by})`);
  const lacking = [
    ...missing2(requested(manifest), "package.json"),
    ...entries2.flatMap(({ patterns: [pattern = ""], dependencies }) => missing2(dependencies, pattern))
  ];
  if (lacking.length === 0) return;
  const more = lacking.length > 10 ? `, and ${lacking.length - 10} more` : "";
  throw new TgoError(
    "SOURCE",
    `yarn.lock of ${service2} does not match package.json: it lacks ${lacking.slice(0, 10).join(", ")}${more}`,
    {
      where: "yarn.lock",
      remedy: "Run yarn install in the service's folder and commit yarn.lock."
    }
  );
}
function unlocked(installed2, entries2) {
  const known = new Set(
    entries2.flatMap(({ patterns, version: version2 }) => patterns.map((pattern) => `${nameOf2(pattern)}@${version2}`))
  );
  return [...new Set(installed2.map(({ name: name4, version: version2 }) => `${name4}@${version2}`))].filter((id) => !known.has(id)).sort();
}
function nameOf2(pattern) {
  const aliased = /^.+?@npm:(.+)$/.exec(pattern)?.[1] ?? pattern;
  return /^(@?[^@]+)/.exec(aliased)?.[1] ?? aliased;
}

// packages/builders/src/static-web/project.ts
async function readProject({ name: name4, source, service: service2 }) {
  const present = new Set(source.entries.map(bare));
  const read3 = (file) => source.directory.file(file).contents();
  const manifest = parsePackageJson(name4, await read3("package.json"));
  refuseWorkspaces(name4, manifest, present.has(PNPM_SETTINGS) ? await read3(PNPM_SETTINGS) : void 0);
  requireScript(name4, manifest, service2.build.script);
  const chosen = choosePackageManager(name4, manifest, present);
  const lock = await read3(chosen.lock);
  const manager = withVersion(name4, chosen, lock);
  const locked = manager.name === "yarn" ? parseYarnLock(lock) : void 0;
  if (locked !== void 0) requireLocked(name4, manifest, locked);
  if (manager.name === "npm") requireNpmLocked(name4, manifest, lock);
  return { manifest, manager, lock, locked };
}
var PNPM_SETTINGS = "pnpm-workspace.yaml";
function requireScript(service2, { scripts }, script) {
  if (script in scripts) return;
  throw new TgoError("SOURCE", `the package.json of ${service2} has no script "${script}"`, {
    where: "build.script",
    remedy: `Name the script that builds the pages. There are: ${Object.keys(scripts).join(", ") || "none"}.`
  });
}

// packages/builders/src/static-web/nginx.ts
var DEFAULT_CONF = "/etc/nginx/conf.d/default.conf";
var MAIN_CONF = "/etc/nginx/nginx.conf";
var HASHED = String.raw`[-.](?=[\w-]{0,7}[A-Z0-9])[\w-]{8}\.\w+(?:\.map)?$`;
function isHashed(path) {
  return new RegExp(`^/assets/.*${HASHED}`).test(path);
}
function siteConfiguration({ root, port, singlePage, unhashed }) {
  const exceptions = unhashed.map((path) => `    "${path}" no-cache;
`).join("");
  return `map $uri $cache_control {
${exceptions}    "~^/assets/.*${HASHED}" "public, max-age=31536000, immutable";
    default no-cache;
}

server {
    listen ${port};
    server_name _;
    server_tokens off;
    # A redirect to the port in the container would miss the one that is published.
    absolute_redirect off;

    root ${root};
    index index.html;

    gzip on;
    gzip_vary on;
    gzip_proxied any;
    gzip_min_length 1024;
    gzip_types text/css text/plain text/xml text/javascript application/javascript application/json application/manifest+json application/xml application/wasm image/svg+xml;

    add_header Cache-Control $cache_control;
    add_header X-Content-Type-Options nosniff always;

    # A missing asset is an error, never a page.
    location /assets/ {
        try_files $uri =404;
    }

    location / {
        try_files $uri $uri/ ${singlePage ? "/index.html" : "=404"};
    }
}
`;
}
var UNPRIVILEGED = `worker_processes auto;
pid /tmp/nginx.pid;
error_log stderr notice;

events {
    worker_connections 1024;
}

http {
    client_body_temp_path /tmp/client_body;
    proxy_temp_path /tmp/proxy;
    fastcgi_temp_path /tmp/fastcgi;
    uwsgi_temp_path /tmp/uwsgi;
    scgi_temp_path /tmp/scgi;

    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    access_log /dev/stdout;
    sendfile on;
    keepalive_timeout 65;

    include /etc/nginx/conf.d/*.conf;
}
`;
function requireFreePort(service2, user, port) {
  if (port >= 1024) return;
  throw new TgoError("CATALOG", `${service2} runs as ${user}, who may not listen on port ${port} everywhere`, {
    where: "image.ports",
    remedy: "Name a port from 1024 on first in image.ports, such as 8080, and the same in smoke.http."
  });
}
function isUnprivileged(user) {
  return user !== void 0 && !/^(?:root|0)(?::|$)/.test(user);
}

// packages/builders/src/static-web/site.ts
var OWN_SITE = /^\/etc\/nginx\/(?:conf\.d\/.*\.conf|templates\/.*)$/;
async function siteFiles(request) {
  const { name: name4, service: service2 } = request;
  const { user, ports, files: files2 } = service2.image;
  const own2 = files2.map(({ to }) => to);
  const main = isUnprivileged(user) && !own2.includes(MAIN_CONF) ? { [MAIN_CONF]: UNPRIVILEGED } : {};
  if (own2.some((path) => OWN_SITE.test(path))) return main;
  const port = ports[0] ?? 80;
  if (isUnprivileged(user)) requireFreePort(name4, user, port);
  const site = siteConfiguration({ ...service2.build, port, unhashed: await seeminglyHashed(request) });
  return { ...main, [DEFAULT_CONF]: site };
}
async function seeminglyHashed({ source }) {
  if (!source.entries.map(bare).includes("public")) return [];
  const copied = await source.directory.glob("public/assets/**");
  return copied.map((path) => path.replace(/^public/, "")).filter(isHashed).sort();
}
function withFiles2({ context }, container, files2) {
  return Object.entries(files2).reduce((result, [path, contents]) => {
    const file = context.client.directory().withNewFile("file", contents).file("file").withTimestamps(LAYER_TIME);
    return result.withFile(path, file, { permissions: 420 });
  }, container);
}

// packages/builders/src/static-web/values.ts
function buildValues(name4, build2, given, fillIn) {
  const values = {};
  for (const [variable, { default: template }] of Object.entries(build2.values)) {
    const value = given.get(variable) ?? (template === void 0 ? void 0 : fillIn(template));
    if (value === void 0) {
      throw new TgoError("USAGE", `${name4} needs the build value ${variable}`, {
        remedy: `Add --value ${variable}=...`
      });
    }
    values[variable] = value;
  }
  return values;
}

// packages/builders/src/static-web/build-static-web.ts
async function buildStaticWeb(request) {
  const { context, service: service2, platforms, source } = request;
  const [project, site] = await Promise.all([readProject(request), siteFiles(request)]);
  const builder = await installPackages2(request, project);
  const [pages, notes] = await Promise.all([
    buildPages(request, project, builder).then(
      (built) => withNormalizedMetadata(context, built, epochSeconds(source.modified))
    ),
    unlockedNotes(request, project, builder)
  ]);
  const variants2 = await Promise.all(
    platforms.map(async (platform2) => {
      const base = withFiles2(request, await baseImage(context, service2.build.base, platform2), site);
      const container = base.withDirectory(service2.build.root, pages);
      return { platform: platform2, container: await configureImage(request, container) };
    })
  );
  return { variants: variants2, notes };
}
async function unlockedNotes({ context, name: name4 }, { locked }, builder) {
  const modules = `${PROJECT}/node_modules`;
  if (locked === void 0 || !await builder.exists(modules)) return [];
  const packages = unlocked(await listPackages(context, builder.directory(modules)), locked);
  if (packages.length === 0) return [];
  return [
    `yarn.lock of ${name4} has no entry, and so no hash, for ${packages.join(", ")}: fetched as the registry has them. Run yarn install on Linux and commit yarn.lock.`
  ];
}

// packages/builders/src/input-checks.ts
function inputChecks(request) {
  return [requireFiles(request), ...byStrategy(request)];
}
function byStrategy(request) {
  const { context, name: name4, service: service2 } = request;
  const { build: build2 } = service2;
  switch (build2.strategy) {
    case "python":
      return [checkPackages({ ...request, service: { ...service2, build: build2 } })];
    case "static-web": {
      const pages = { ...request, service: { ...service2, build: build2 } };
      return [readProject(pages), siteFiles(pages)];
    }
    case "dockerfile":
      return [buildSecrets(context, name4, build2)];
  }
}
async function checkPackages(request) {
  const lock = await requireLock(request);
  await lockedRequirements(request, lock, await withTools(request));
}

// packages/builders/src/build-variants.ts
async function buildVariants(request) {
  fetchBases(request);
  const built = await byStrategy2(request);
  await Promise.all(
    built.variants.map(async ({ container }) => {
      await container.sync().catch((error2) => {
        throw buildError(`building ${request.name}`, remedyOf(request.service), error2);
      });
    })
  );
  return { ...built, notes: [...built.notes, ...request.notes] };
}
function fetchBases({ context, service: service2, platforms }) {
  const { build: build2 } = service2;
  if (build2.strategy === "dockerfile") return;
  for (const platform2 of platforms) {
    baseImage(context, build2.base, platform2).then((base) => base.sync()).catch(() => void 0);
  }
}
function remedyOf({ build: build2 }) {
  return build2.strategy === "python" ? PYTHON_REMEDY : "The output above is the build's own.";
}
function byStrategy2(request) {
  const { service: service2 } = request;
  const { build: build2 } = service2;
  switch (build2.strategy) {
    case "python":
      return buildPython({ ...request, service: { ...service2, build: build2 } });
    case "static-web":
      return buildStaticWeb({ ...request, service: { ...service2, build: build2 } });
    case "dockerfile":
      return buildDockerfile({ ...request, service: { ...service2, build: build2 } });
  }
}
function basesOf(build2) {
  switch (build2.strategy) {
    case "python":
      return [build2.base];
    case "static-web":
      return [build2.builder, build2.base];
    case "dockerfile":
      return [];
  }
}
function catalogImages({ native, platforms }, build2) {
  if (build2.strategy === "dockerfile") return [];
  const builders = build2.strategy === "static-web" ? [build2.builder] : [];
  return [
    ...builders.map((reference) => ({ reference, platform: native })),
    ...platforms.map((platform2) => ({ reference: build2.base, platform: platform2 }))
  ];
}
async function buildBases({
  context,
  name: name4,
  service: service2,
  source,
  platforms,
  values
}) {
  const { build: build2 } = service2;
  if (build2.strategy !== "dockerfile") {
    return { images: catalogImages({ ...context, platforms }, build2), base: build2.base, unknown: [] };
  }
  const text2 = await readDockerfile(name4, build2, source.directory);
  const plans = platforms.map(
    (platform2) => planDockerfile({ name: name4, build: build2, native: context.native }, text2, platform2, values)
  );
  const bases = new Set(plans.map(({ base }) => base));
  return {
    images: plans.flatMap(({ images }) => images),
    base: bases.size === 1 ? plans[0]?.base : void 0,
    unknown: [...new Set(plans.flatMap(({ unknown: unknown2 }) => unknown2))]
  };
}

// packages/builders/src/source/commit-notes.ts
function commitNotes(source) {
  const { revision, created, uncommitted } = source;
  if (isWithoutCommit(source)) {
    return [
      `revision ${revision} is the source's content: ${whyUncommitted(source)}; such a candidate can be pulled and tried, but never released`
    ];
  }
  const changes = uncommitted !== void 0 && "changed" in uncommitted ? whyUncommitted(source) : void 0;
  return [
    ...changes === void 0 ? [] : [`revision ${revision} is as it was given, although ${changes}`],
    ...created.getTime() === UNKNOWN_TIME.getTime() ? ["the image's date is 1980-01-01, as the time of its revision is not known; --created says better"] : []
  ];
}
function isWithoutCommit({ revision }) {
  return revision.startsWith("dev-");
}
var FILES_NAMED = 3;
function whyUncommitted({ uncommitted }) {
  if (uncommitted === void 0) return "no commit of it is known (--revision says it)";
  if ("why" in uncommitted) return uncommitted.why;
  const { changed: changed2 } = uncommitted;
  const named = changed2.slice(0, FILES_NAMED).join(", ");
  const more = changed2.length - FILES_NAMED;
  const files2 = more > 0 ? `${named} and ${more} more` : named;
  return `${changed2.length === 1 ? "a change is" : "changes are"} not committed: ${files2}`;
}

// packages/builders/src/prepare-build.ts
async function prepareBuild(context, name4, service2, options) {
  return context.progress.step({ step: "prepare", service: name4 }, async () => {
    const opened = await openRequest(context, name4, service2, options);
    refuseUnreleasable(opened);
    return (await resolveRequest(opened)).request;
  });
}
async function openRequest(context, name4, service2, options) {
  const { platforms } = context;
  const early = Promise.all(
    basesOf(service2.build).map(
      (reference) => context.bases.digest(reference, isFinal(service2, reference) ? platforms[0] : context.native)
    )
  );
  early.catch(() => void 0);
  const source = await loadSource(context, name4, service2, options);
  const given = parseValues(options.values ?? []);
  const partial2 = { context, name: name4, service: service2, source, platforms, version: options.version };
  const values = valuesOf(name4, service2, given, (template) => fill(template, partial2));
  return { ...partial2, values, base: void 0, notes: [] };
}
async function resolveRequest(opened) {
  const { images, base, unknown: unknown2 } = await buildBases(opened);
  const bases = await resolveBases(opened.context, images);
  const request = {
    ...opened,
    base: base === void 0 ? void 0 : { name: base, digest: bases[base] ?? "" },
    notes: pinNotes(opened.context, images, unknown2)
  };
  return { request, bases };
}
function refuseUnreleasable({ source, version: version2 }) {
  if (version2 === void 0 || !isWithoutCommit(source)) return;
  const { revision, uncommitted } = source;
  const hasChanges = uncommitted !== void 0 && "changed" in uncommitted;
  throw new TgoError("SOURCE", `${version2} cannot be made of ${revision}: ${whyUncommitted(source)}`, {
    remedy: hasChanges ? "Commit what has changed. For files that belong to no commit, such as generated ones: --revision COMMIT and --created TIME." : "Give a source that is a git checkout of its own, or say --revision COMMIT and --created TIME."
  });
}
function isFinal({ build: build2 }, reference) {
  return "base" in build2 && build2.base === reference;
}
function valuesOf(name4, { build: build2 }, given, filled2) {
  switch (build2.strategy) {
    case "static-web":
      return buildValues(name4, build2, given, filled2);
    case "dockerfile":
      return Object.fromEntries(
        Object.entries(build2.args).map(([key2, template]) => [key2, given.get(key2) ?? filled2(template)])
      );
    case "python":
      return {};
  }
}
function declaredValues({ build: build2 }) {
  switch (build2.strategy) {
    case "static-web":
      return Object.keys(build2.values);
    case "dockerfile":
      return Object.keys(build2.args);
    case "python":
      return [];
  }
}
function checkValues(values, services) {
  const declared = [...new Set(services.flatMap(({ service: service2 }) => declaredValues(service2)))];
  for (const name4 of parseValues(values).keys()) {
    if (declared.includes(name4)) continue;
    throw new TgoError("USAGE", `no selected service declares the build value ${name4}`, {
      remedy: `Declared: ${declared.join(", ") || "none"}. Add it to build.values (build.args of a Dockerfile service) in tgo.catalog.json.`
    });
  }
}
function parseValues(values) {
  return new Map(
    values.map((text2) => {
      const equals = text2.indexOf("=");
      if (equals < 1) {
        throw new TgoError("USAGE", `--value "${text2}" is not NAME=value`, {
          remedy: "Write for example --value VITE_API_BASE_URL=https://api.example.com."
        });
      }
      return [text2.slice(0, equals), text2.slice(equals + 1)];
    })
  );
}
async function resolveBases(context, images) {
  const resolved = await Promise.all(
    images.map(async ({ reference, platform: platform2 }) => {
      await baseImage(context, reference, platform2);
      return [reference, await context.bases.digest(reference, platform2)];
    })
  );
  return Object.fromEntries(resolved);
}
function pinNotes(context, images, unknown2) {
  const floating = [...new Set(images.map(({ reference }) => reference))].filter(
    (reference) => !context.bases.isPinned(reference)
  );
  return [
    ...floating.length === 0 ? [] : [
      `base images not pinned, resolved when this ran: ${floating.join(", ")}; npx --no-install tgo lock-bases --output tgo.bases.json writes a lock for --base-lock`
    ],
    ...unknown2.length === 0 ? [] : [`not pinned, as the build decides what they mean: ${unknown2.join("; ")}`]
  ];
}

// packages/publishing/src/candidate/candidate-key.ts
import { createHash as createHash2 } from "node:crypto";
function candidateKey(inputs) {
  const facts = {
    ...inputs,
    definition: essence(inputs.definition),
    source: {
      hash: inputs.source.hash,
      revision: inputs.source.revision,
      created: inputs.source.created.toISOString()
    },
    version: inputs.version ?? "none"
  };
  return createHash2("sha256").update(canonical(facts)).digest("hex").slice(0, 16);
}
function essence(definition) {
  return { ...definition, $schema: void 0, source: { repository: definition.source.repository } };
}
function candidateTag(key2) {
  return `candidate-${key2}`;
}
function stagingTag(key2) {
  return `staging-${key2}`;
}
function canonical(value) {
  return JSON.stringify(
    value,
    (_key, field) => typeof field === "object" && field !== null && !Array.isArray(field) ? Object.fromEntries(Object.entries(field).sort(([a], [b]) => a < b ? -1 : 1)) : field
  );
}

// packages/publishing/src/candidate/prepare-candidate.ts
async function prepareCandidate(context, name4, service2, options) {
  return context.progress.step({ step: "prepare", service: name4 }, async () => {
    const opened = await openRequest(context, name4, service2, options);
    refuseUnreleasable(opened);
    return keyOf2(context, opened);
  });
}
async function keyOf2({ pipeline: pipeline2 }, opened) {
  const { request, bases } = await resolveRequest(opened);
  const { name: name4, service: service2, platforms, source, values, version: version2 } = request;
  const key2 = candidateKey({
    service: name4,
    definition: service2,
    platforms,
    source,
    bases,
    values,
    pipeline: pipeline2,
    version: version2
  });
  return { request, key: key2 };
}

// packages/report/src/markdown-text.ts
function text(raw) {
  return raw.replaceAll(/[\\`*[\]~]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, (mark2) => `\\${mark2}`).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("\n", "<br>");
}
function code(raw) {
  const line = raw.replaceAll("\n", " ");
  if (line.trim() === "") return "";
  const ticks = "`".repeat(longestRun(line) + 1);
  const space = /^`|`$|^ .* $/.test(line) ? " " : "";
  return `${ticks}${space}${line}${space}${ticks}`;
}
function fence(raw, language) {
  const ticks = "`".repeat(Math.max(3, longestRun(raw) + 1));
  return `${ticks}${language}
${raw}
${ticks}`;
}
function longestRun(raw) {
  return Math.max(0, ...[...raw.matchAll(/`+/g)].map(([ticks]) => ticks.length));
}
function table(header, rows) {
  const line = (cells2) => `| ${cells2.map((each) => each.replaceAll("|", "\\|").replaceAll("\n", "<br>")).join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}
function indent(raw, by) {
  return raw.split("\n").map((line) => line === "" ? line : by + line).join("\n");
}

// packages/report/src/texts.ts
function withTexts(report, change2) {
  return changed(report, "", change2);
}
function changed(value, field, change2) {
  if (typeof value === "string") return change2(value, field);
  if (Array.isArray(value)) return value.map((each) => changed(each, field, change2));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key2, inner]) => [key2, changed(inner, key2, change2)]));
}
var OF_LINES = /* @__PURE__ */ new Set(["what", "remedy", "next"]);
function printable(report) {
  return withTexts(
    report,
    (text2, field) => OF_LINES.has(field) ? printableText(text2) : printableLine(text2)
  );
}
function printableLine(text2) {
  return printableText(text2).trimEnd().replaceAll("\n", " ");
}
function printableText(text2) {
  return text2.replaceAll(SEQUENCE, "").replaceAll(/\r\n?|[\u0085\u2028\u2029]/g, "\n").replaceAll("	", "  ").replaceAll(UNPRINTABLE, "\uFFFD");
}
var SEQUENCE = (
  // eslint-disable-next-line no-control-regex
  /(?:\u001B\[|\u009B)[0-?]*[ -/]*[@-~]|\u001B[\]PX^_][^\u0007\u001B\n]*(?:\u0007|\u001B\\)|\u001B[ -/]*[0-~]/g
);
var UNPRINTABLE = /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u200E\u200F\u202A-\u202E\u2066-\u2069]/g;

// packages/report/src/render-table.ts
function renderTable(head, texts, format) {
  const rows = texts.map((cells2) => cells2.map((cell2) => renderLine(cell2, format)));
  if (format === "markdown") return table(head, rows);
  const widths = head.map(
    (title3, column) => Math.max(title3.length, ...rows.map((row) => row[column]?.length ?? 0))
  );
  const line = (cells2) => cells2.map((cell2, column) => cell2.padEnd(widths[column] ?? 0)).join("  ").trimEnd();
  return [line(head), ...rows.map(line)].map((text2) => `  ${text2}`).join("\n");
}
function renderLine(text2, format) {
  const line = printableLine(text2);
  return format === "markdown" ? text(line) : line;
}

// packages/report/src/describe-pruned.ts
function describePruned(pruned, remove, format) {
  if (format === "json") return JSON.stringify({ prune: { removes: remove, repositories: pruned } }, null, 2);
  const rows = pruned.flatMap(({ service: service2, registry: registry2, selection, removed, problem: problem3 }) => [
    ...selection.remove.map(({ digest, tags: tags2, why }) => {
      const state = removed.includes(digest) ? "removed" : remove ? "failed" : "would be removed";
      return [service2, registry2, tags2.join(", "), state, why];
    }),
    ...selection.keep.map(({ tag, why }) => [service2, registry2, tag, "kept", why]),
    ...problem3 === void 0 ? [] : [[service2, registry2, "", "failed", problem3.what]]
  ]);
  const remedies = new Set(pruned.flatMap(({ problem: problem3 }) => problem3?.remedy ?? []));
  const lines2 = rows.length === 0 ? ["No candidate or staging tag anywhere."] : [renderTable(["service", "registry", "tags", "state", "why"], rows, format)];
  const wanting = pruned.some(({ selection }) => selection.remove.length > 0);
  if (!remove && wanting) lines2.push("", "Nothing was removed: this only looked. Add --remove to remove.");
  return [...lines2, ...[...remedies].flatMap((remedy) => ["", remedy])].join("\n");
}

// packages/report/src/describe-status.ts
function describeStatus({ rows, disagreements }, format) {
  if (format === "json") return JSON.stringify({ status: { rows, disagreements } }, null, 2);
  const table3 = renderTable(
    ["service", "registry", "latest", "floating", "newest", "newer prerelease"],
    rows.map((row, index) => [
      rows[index - 1]?.service === row.service ? "" : row.service,
      row.registry,
      ...cells(row)
    ]),
    format
  );
  const bullet = format === "markdown" ? "- " : "  ";
  const remedies = [...new Set(disagreements.flatMap(({ remedy }) => remedy ?? []))];
  const told2 = disagreements.length === 0 ? [rows.some(isReleased) ? "Everything agrees." : "Nothing is released yet."] : [
    `${disagreements.length === 1 ? "One thing does" : `${disagreements.length} things do`} not agree:`,
    "",
    ...disagreements.map(({ told: line }) => `${bullet}${renderLine(line, format)}`),
    ...remedies.flatMap((remedy) => ["", renderLine(remedy, format)])
  ];
  return [table3, "", ...told2].join("\n");
}
function isReleased({ latest, lines: lines2, newest, prerelease }) {
  return [latest, newest, prerelease, ...lines2].some((pointer2) => pointer2 !== void 0);
}
function cells({ unreachable: unreachable2, latest, lines: lines2, newest, prerelease }) {
  if (unreachable2 !== void 0) return [`not known: ${unreachable2}`, "", "", ""];
  const floating = lines2.map((line) => `${line.tag} is ${name2(line)}`).join(", ");
  return [name2(latest), floating === "" ? "-" : floating, name2(newest), name2(prerelease)];
}
function name2(pointer2) {
  if (pointer2 === void 0) return "-";
  const digest = pointer2.digest.slice("sha256:".length, "sha256:".length + 12);
  return pointer2.version === void 0 ? `unknown (${digest})` : `${pointer2.version} (${digest})`;
}

// packages/report/src/html/page.ts
import { createHash as createHash3 } from "node:crypto";

// packages/report/src/units.ts
function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  const kib = bytes / 1024;
  return kib < 1024 ? `${kib.toFixed(1)} KiB` : `${(kib / 1024).toFixed(1)} MiB`;
}
function duration3(ms) {
  if (ms < 59950) return `${(ms / 1e3).toFixed(1)} s`;
  const seconds = Math.round(ms / 1e3);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
}
function shortDigest2(digest) {
  return digest.replace(/^sha256:/, "").slice(0, 12);
}
function count(n, singular, plural = `${singular}s`) {
  return `${n} ${n === 1 ? singular : plural}`;
}
function registryCount(n) {
  return count(n, "registry", "registries");
}

// packages/report/src/headline.ts
function title2({ command, version: version2 }) {
  return version2 === void 0 ? command : `${command} ${version2}`;
}
function extent(report) {
  if (report.services.length === 0) return `after ${duration3(report.durationMs)}`;
  const registries3 = new Set(report.services.flatMap((s) => s.registries.map((r) => r.registry))).size;
  const platforms = new Set(report.services.flatMap((s) => s.variants.map((v) => v.platform))).size;
  const parts = [count(report.services.length, "service")];
  if (registries3 > 0) parts.push(registryCount(registries3));
  if (platforms > 0) parts.push(count(platforms, "platform"));
  return `${parts.join(" \xD7 ")} in ${duration3(report.durationMs)}`;
}
function outcome(report) {
  if (report.ok) return { words: "ok", tone: "good" };
  if (!isIncomplete(report)) return { words: "failed", tone: "bad" };
  return {
    words: report.command === "promote" ? "done, incomplete" : "released, incomplete",
    tone: "waiting"
  };
}
function isIncomplete({ ok, gate: gate4, services, problems: problems6 = [] }) {
  return !ok && gate4?.open === true && problems6.length === 0 && services.length > 0 && services.every(isOut);
}
function isOut({ state }) {
  return state !== "failed" && state !== "not released";
}
function failure2(report) {
  const { services, gate: gate4, problems: problems6 = [], version: version2 = "it" } = report;
  if (report.ok) return void 0;
  if (gate4?.open === false) return `${version2} is not released: no version tag and no latest was moved`;
  if (services.length === 0) return "failed before any service was begun";
  const failed = services.filter((service2) => !isOut(service2)).map(({ service: service2 }) => service2);
  const all = count(services.length, "service");
  const counted = services.length === 1 ? all : `${failed.length} of ${all}`;
  if (gate4?.open === true) {
    if (failed.length > 0) return `${version2} is released only in part; not complete: ${failed.join(", ")}`;
    return `${version2} is out. ${isIncomplete(report) ? lack(report) : "What failed then is told below."}`;
  }
  if (failed.length > 0) return `${counted} failed: ${failed.join(", ")}`;
  return problems6.length > 0 ? "what all services need must be mended first" : void 0;
}
function lack({ services, next: next2 }) {
  const somewhere = services.some(
    ({ registries: registries3, tags: tags2 = [] }) => registries3.some(({ state }) => state === "failed" || state === "not started") || tags2.some(({ state }) => state === "failed" || state === "not started")
  );
  const what = somewhere ? "Registries that are not required lack something" : "Its record is not beside every image";
  return next2 === void 0 ? `${what}.` : `${what}; the same command brings it.`;
}
function provenance(report) {
  const pipeline2 = report.pipeline === void 0 ? void 0 : `pipeline ${report.pipeline}`;
  return [report.engine, pipeline2].filter((part) => part !== void 0).join(" \xB7 ");
}

// packages/report/src/problem-group.ts
function groupProblems(report) {
  const groups = /* @__PURE__ */ new Map();
  const add = (problem3, place2) => {
    const { code: code3, what, remedy, where: where2 } = problem3;
    const key2 = JSON.stringify([code3, what, remedy]);
    const group = groups.get(key2) ?? { code: code3, what, remedy, places: [] };
    group.places.push({ ...place2, where: where2 });
    groups.set(key2, group);
  };
  for (const problem3 of report.problems ?? []) add(problem3, {});
  for (const { service: service2, problems: problems6, registries: registries3, tags: tags2 = [] } of report.services) {
    for (const problem3 of problems6) add(problem3, { service: service2 });
    for (const { registry: registry2, problems: problems7 } of registries3) {
      for (const problem3 of problems7) add(problem3, { service: service2, registry: registry2 });
    }
    for (const { registry: registry2, problem: problem3 } of tags2) {
      if (problem3 !== void 0) add(problem3, { service: service2, registry: registry2 });
    }
  }
  return [...groups.values()].map((group) => ({
    ...group,
    places: shared(group.places, report.services.length)
  }));
}
function shared(places, services) {
  const among = /* @__PURE__ */ new Map();
  for (const place2 of places) among.set(place2.registry, [...among.get(place2.registry) ?? [], place2]);
  return [...among].flatMap(([registry2, found]) => {
    const named = new Set(found.flatMap(({ service: service2 }) => service2 ?? []));
    if (services < 2 || named.size < services) return found;
    const where2 = commonFolder(found.map((place2) => place2.where));
    return [{ service: `all ${services} services`, registry: registry2, where: where2 }];
  });
}
function commonFolder(paths) {
  const [first, ...others] = [...new Set(paths)].map((path) => (path ?? "").split("/"));
  if (first === void 0 || others.length === 0) return paths[0];
  const end = first.findIndex((part, index) => others.some((other) => other[index] !== part));
  const common = first.slice(0, end === -1 ? first.length : end).join("/");
  return common === "" ? void 0 : common;
}
function placeLines(places) {
  return places.flatMap(({ service: service2, registry: registry2, where: where2 }) => {
    const name4 = service2 !== void 0 && registry2 !== void 0 ? `${service2} in ${registry2}` : service2;
    const parts = [name4, where2].filter((part) => part !== void 0);
    return parts.length === 0 ? [] : [parts.join(": ")];
  });
}

// packages/report/src/record-fact.ts
function recordFact({ record: record5, services }) {
  if (record5 === void 0) return void 0;
  const rows = services.flatMap(({ registries: registries3 }) => registries3);
  const names = [...new Set(rows.map(({ registry: registry2 }) => registry2))];
  const asked = new Set(rows.filter((row) => row.record !== void 0).map(({ registry: registry2 }) => registry2));
  if (asked.size === 0) {
    const why = services.some(({ state }) => state === "not released") ? "the release is not complete" : 'no registry that is complete has "referrers": true in the catalog';
    return `in the JSON report only: ${why}`;
  }
  const holding = names.filter((name4) => {
    const own2 = rows.filter(({ registry: registry2 }) => registry2 === name4);
    return own2.every((row) => row.record === "done" || row.record === "already there");
  });
  return `beside the images in ${holding.length} of ${registryCount(names.length)}`;
}

// packages/report/src/remedy.ts
function remedyParts(remedy) {
  const parts = [];
  for (const line of remedy.split("\n")) {
    const kind = /[.:]$/.test(line.trimEnd()) ? "prose" : "commands";
    const last = parts.at(-1);
    if (last?.kind === kind) parts[parts.length - 1] = { kind, text: `${last.text}
${line}` };
    else parts.push({ kind, text: line });
  }
  return parts;
}

// packages/report/src/tag-facts.ts
function tagRows(report, version2) {
  return report.services.flatMap(({ service: service2, tags: tags2 = [] }) => {
    const registries3 = [...new Set(tags2.map(({ registry: registry2 }) => registry2))];
    return registries3.map((registry2) => {
      const own2 = tags2.filter((tag) => tag.registry === registry2);
      return {
        service: service2,
        registry: registry2,
        lines: lines(own2, version2),
        complete: own2.every(isInPlace)
      };
    });
  });
}
function lines(tags2, version2) {
  const names = /* @__PURE__ */ new Map();
  for (const tag of tags2) {
    const { words, change: change2, why } = tagChange(tag, version2);
    const told2 = `${words}${change2 === void 0 ? "" : ` (${change2})`}${why === void 0 ? "" : `: ${why}`}`;
    names.set(told2, [...names.get(told2) ?? [], tag.tag]);
  }
  return [...names].map(([told2, tags3]) => `${tags3.join(", ")} ${told2}`);
}
function tagChange(tag, version2) {
  const { state, told: told2, problem: problem3 } = tag;
  if (state === "stays" && told2 !== void 0) return { words: told2, change: void 0, why: void 0 };
  return { words: state, change: changeOf(tag, version2), why: told2 ?? problem3?.what.split("\n")[0] };
}
function changeOf({ tag, state, ...row }, version2) {
  const before = shortened(row.before);
  switch (state) {
    case "done":
      if (before !== void 0) return version2 === void 0 ? `was ${before}` : `${before} \u2192 ${version2}`;
      return version2 === void 0 ? void 0 : tag === version2 ? "new" : `new \u2192 ${version2}`;
    case "already there":
      return tag === version2 ? void 0 : version2;
    case "stays":
      return version2 === void 0 ? void 0 : before;
    case "failed":
      return before === void 0 ? void 0 : `was ${before}`;
    case "not started":
      return before === void 0 ? void 0 : `still ${before}`;
  }
}
function shortened(before) {
  return before?.startsWith("sha256:") === true ? shortDigest2(before) : before;
}
function tagCount({ tags: tags2 = [] }, registry2) {
  const own2 = tags2.filter((tag) => tag.registry === registry2);
  if (own2.length === 0) return void 0;
  const there = own2.filter(isInPlace).length;
  const failed = own2.some(({ state }) => state === "failed");
  return {
    words: `${there} of ${count(own2.length, "tag")}`,
    tone: failed ? "bad" : there < own2.length ? "waiting" : "good"
  };
}
function isInPlace({ state }) {
  return state !== "failed" && state !== "not started";
}
function gateLines({ gate: gate4 }) {
  if (gate4 === void 0) return [];
  return [
    `gate ${gate4.open ? "open: every candidate is verified in every required registry" : "closed"}`,
    ...gate4.reasons,
    ...gate4.later.map((reason) => `later: ${reason}`)
  ];
}

// packages/report/src/html/markup.ts
var Markup = class {
  constructor(html2) {
    this.html = html2;
  }
  html;
};
function html(strings, ...parts) {
  return new Markup(strings.reduce((page, string4, index) => page + markupOf(parts[index - 1]) + string4));
}
function broken(text2) {
  return html`${text2.split("\n").map((line, index) => index === 0 ? line : html`<br />${line}`)}`;
}
function unbroken(text2) {
  return html`<span class="unbroken">${text2}</span>`;
}
function preformatted(text2, kind) {
  return html`<pre class="${kind}"><code>${text2}</code></pre>`;
}
function markupOf(part) {
  if (part === void 0) return "";
  if (part instanceof Markup) return part.html;
  if (typeof part === "string" || typeof part === "number") return escaped(String(part));
  return part.map(markupOf).join("");
}
function escaped(text2) {
  return text2.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;").replaceAll("'", "&#39;");
}

// packages/report/src/digest-fact.ts
function digestFact(service2) {
  const byDigest = /* @__PURE__ */ new Map();
  for (const { registry: registry2, digest } of service2.registries) {
    if (digest !== void 0) byDigest.set(digest, [...byDigest.get(digest) ?? [], registry2]);
  }
  if (service2.digest !== void 0 && !byDigest.has(service2.digest)) byDigest.set(service2.digest, []);
  const [first, ...others] = byDigest;
  if (first === void 0) return { kind: "none" };
  if (others.length > 0) {
    return {
      kind: "differ",
      digests: [...byDigest].map(([digest, registries3]) => ({ digest, registries: registries3 }))
    };
  }
  return { kind: "one", digest: first[0], remark: remark(service2, first[1]) };
}
function remark(service2, seenIn) {
  const all = service2.registries.length;
  if (all === 0) return void 0;
  if (seenIn.length === 0) return "not seen in any registry";
  if (seenIn.length === all)
    return all === 1 ? `in ${seenIn.join("")}` : `the same in all ${registryCount(all)}`;
  const missing2 = service2.registries.map(({ registry: registry2 }) => registry2).filter((name4) => !seenIn.includes(name4));
  return `in ${seenIn.length} of ${registryCount(all)}; not seen in ${missing2.join(", ")}`;
}

// packages/report/src/variant-facts.ts
var MAX_FOREIGN = 10;
function servicesWithVariants(report) {
  return report.services.filter(({ variants: variants2 }) => variants2.some(isKnown));
}
function isKnown({ digest, size: size2, elf, smoke }) {
  return [digest, size2, elf, smoke].some((fact) => fact !== void 0);
}
function variantSize(variant) {
  return variant.size === void 0 ? "-" : size(variant.size);
}
function fileFacts({ elf }) {
  if (elf === void 0) return ["not checked"];
  const { files: files2, foreign: foreign2 } = elf;
  const outcome2 = foreign2.length > 0 ? `${foreign2.length} FOREIGN` : "all match";
  return [`${files2} checked`, elf.elf === 0 ? "no ELF" : `${elf.elf} ELF, ${outcome2}`];
}
function foreignLines({ elf }) {
  if (elf === void 0) return [];
  const rest = elf.foreign.length - MAX_FOREIGN;
  return [...elf.foreign.slice(0, MAX_FOREIGN), ...rest > 0 ? [`and ${count(rest, "more file")}`] : []];
}
function smokeFact(smoke) {
  if (smoke === void 0) return "not run";
  const outcome2 = smoke.ok ? "ok" : "FAILED";
  if (smoke.recorded) return `${outcome2}, recorded with the candidate`;
  return smoke.durationMs === void 0 ? outcome2 : `${outcome2} (${duration3(smoke.durationMs)})`;
}

// packages/report/src/html/state.ts
var SIGNS = { good: "\u2713", waiting: "\u25CB", bad: "\u2717" };
function toneOf(state) {
  if (state === "failed" || state === "FAILED") return "bad";
  return state === "not started" || state === "not released" || state === "not run" ? "waiting" : "good";
}
function stateMark(state, words = state) {
  return mark(toneOf(state), words);
}
function mark(tone, words) {
  return html`<span class="state ${tone}"><span aria-hidden="true">${SIGNS[tone]}</span> ${words}</span>`;
}

// packages/report/src/html/table.ts
function cardTable(table3) {
  const { caption } = table3;
  const told2 = table3.columns.map((_, column) => table3.rows.some((row) => row[column] !== void 0));
  const columns = table3.columns.filter((_, column) => told2[column]);
  const rows = table3.rows.map((row) => row.filter((_, column) => told2[column]));
  return html`<table class="cards" role="table">
    <caption>
      ${caption}
    </caption>
    <thead role="rowgroup">
      <tr role="row">
        ${columns.map((column) => html`<th role="columnheader" scope="col">${column}</th>`)}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${rows.map(
    ([first, ...others]) => html`<tr role="row">
            <th role="rowheader" scope="row">${first}</th>
            ${others.map(
      (cell2, index) => cell2 === void 0 ? html`<td role="cell" class="none">-</td>` : html`<td role="cell" data-title="${columns[index + 1]}"><div>${cell2}</div></td>`
    )}
          </tr> `
  )}
    </tbody>
  </table> `;
}
function matrixTable({ caption, columns, rows }) {
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0">
    <table class="matrix">
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${columns.map((column) => html`<th scope="col">${column}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
    ([first, ...others]) => html`<tr>
              <th scope="row">${first}</th>
              ${others.map((cell2) => html`<td>${cell2 ?? "-"}</td>`)}
            </tr> `
  )}
      </tbody>
    </table>
  </div> `;
}

// packages/report/src/html/service.ts
function anchorOf(index) {
  return `service-${index + 1}`;
}
function serviceSection(service2, index, { version: version2 }) {
  const { tag, revision, notes } = service2;
  const facts = [
    ...digestRows(service2),
    ...tag === void 0 ? [] : [["tag", html`<code>${tag}</code>`]],
    ...revision === void 0 ? [] : [["revision", html`<code>${revision}</code>`]]
  ];
  return html`<section class="service" id="${anchorOf(index)}" aria-labelledby="${anchorOf(index)}-title">
    <h2 id="${anchorOf(index)}-title">
      ${service2.service} ${stateMark(service2.state)}
      <small class="quiet">${duration3(service2.durationMs)}</small>
    </h2>
    <dl>
      ${facts.map(
    ([name4, fact]) => html`<dt>${name4}</dt>
            <dd>${fact}</dd>`
  )}
    </dl>
    ${registryTable(service2)}${tagTable(service2, version2)}${variantTable(service2)}${noteList(notes)}
  </section> `;
}
function digestRows(service2) {
  const digest = digestFact(service2);
  if (digest.kind === "none") return [];
  if (digest.kind === "one") {
    const remark2 = digest.remark === void 0 ? void 0 : html` <span class="quiet">(${digest.remark})</span>`;
    return [["digest", html`<code class="whole">${digest.digest}</code>${remark2}`]];
  }
  const each = digest.digests.map(
    (one) => html`<li>
        <code class="whole">${one.digest}</code> in ${one.registries.join(", ") || "no registry"}
      </li>`
  );
  return [
    [
      "digest",
      html`<strong class="bad">the digests differ:</strong>
        <ul>
          ${each}
        </ul>`
    ]
  ];
}
function shortly(digest) {
  return digest === void 0 ? void 0 : html`<code class="digest" title="${digest}">${digest}</code>`;
}
function registryTable({ registries: registries3 }) {
  if (registries3.length === 0) return void 0;
  const rows = registries3.map((row) => [
    row.registry,
    stateMark(row.state),
    shortly(row.digest),
    sent(row),
    row.state === "not started" ? void 0 : unbroken(duration3(row.durationMs)),
    row.record === void 0 ? void 0 : stateMark(row.record),
    html`<code>${row.reference}</code>`
  ]);
  const columns = ["registry", "state", "digest", "sent", "time", "record", "image"];
  return cardTable({ caption: "Registries", columns, rows });
}
function sent({ uploaded, state }) {
  if (uploaded === void 0) return void 0;
  return unbroken(uploaded === 0 && state !== "failed" ? "nothing" : size(uploaded));
}
function tagTable({ tags: tags2 = [] }, version2) {
  if (tags2.length === 0) return void 0;
  const names = [...new Set(tags2.map(({ tag }) => tag))];
  const rows = [...new Set(tags2.map(({ registry: registry2 }) => registry2))].map((registry2) => [
    registry2,
    ...names.map((name4) => {
      const found = tags2.find((each) => each.registry === registry2 && each.tag === name4);
      return found === void 0 ? void 0 : tagCell(found, version2);
    })
  ]);
  return cardTable({ caption: "Tags", columns: ["registry", ...names], rows });
}
function tagCell(tag, version2) {
  const { words, change: change2, why } = tagChange(tag, version2);
  return html`${stateMark(tag.state, words)}
  ${change2 === void 0 ? void 0 : html`<small class="beside">${change2}</small>`}${why === void 0 ? void 0 : html`<small>${broken(why)}</small>`}`;
}
function variantTable({ variants: variants2 }) {
  const known = variants2.filter(isKnown);
  if (known.length === 0) return void 0;
  const rows = known.map((variant) => [
    variant.platform,
    variant.size === void 0 ? void 0 : unbroken(size(variant.size)),
    shortly(variant.digest),
    files(variant),
    variant.smoke?.machine,
    smokeRun(variant)
  ]);
  return cardTable({
    caption: "Platforms",
    columns: ["platform", "size", "digest", "files", "machine", "smoke run"],
    rows
  });
}
function files(variant) {
  const foreign2 = foreignLines(variant);
  const facts = fileFacts(variant).join(", ");
  if (foreign2.length === 0) return html`${facts}`;
  return html`<strong class="bad">${facts}</strong
    >${foreign2.map((path) => html`<small><code>${path}</code></small>`)}`;
}
function smokeRun({ smoke }) {
  const state = smoke === void 0 ? "not run" : smoke.ok ? "ok" : "FAILED";
  return html`${stateMark(state, smokeFact(smoke))}${(smoke?.lines ?? []).map((line) => html`<small>${broken(line)}</small>`)}`;
}
function noteList(notes) {
  if (notes.length === 0) return void 0;
  return html`<h3>Notes</h3>
    <ul>
      ${notes.map((note) => html`<li>${broken(note)}</li>`)}
    </ul> `;
}

// packages/report/src/html/style.ts
var LIGHT = {
  page: "#ffffff",
  panel: "#f5f7f9",
  line: "#d0d6dc",
  text: "#1c2126",
  quiet: "#57606a",
  link: "#0b57b0",
  good: "#11662b",
  waiting: "#7a4b00",
  bad: "#a8071a"
};
var DARK = {
  page: "#0e1116",
  panel: "#171c23",
  line: "#38414b",
  text: "#e4e9ee",
  quiet: "#9aa5b0",
  link: "#79b8ff",
  good: "#5bd174",
  waiting: "#e8b44a",
  bad: "#ff8178"
};
function variables(palette) {
  return Object.entries(palette).map(([name4, color]) => `--${name4}:${String(color)}`).join(";");
}
var NARROW = "40rem";
var STYLE = `
:root{color-scheme:light dark;${variables(LIGHT)}}
@media (prefers-color-scheme:dark){:root{${variables(DARK)}}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--text);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;overflow-wrap:anywhere}
header,main{max-width:72rem;margin:0 auto;padding:0 1rem}
main{padding-bottom:3rem}
h1{font-size:1.6rem;line-height:1.25;margin:1.5rem 0 .25rem}
h2{font-size:1.2rem;line-height:1.3;margin:2.5rem 0 .75rem}
h3{font-size:1rem;margin:1rem 0 .25rem}
p{margin:.25rem 0}
ul{margin:.25rem 0;padding-left:1.25rem}
a{color:var(--link)}
code,pre{font:.875em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
pre{margin:.5rem 0;padding:.75rem;border:1px solid var(--line);border-radius:.375rem;background:var(--panel);white-space:pre-wrap}
pre code{font:inherit}
.command{user-select:all;-webkit-user-select:all}
.quiet{color:var(--quiet)}
.good{color:var(--good)}
.waiting{color:var(--waiting)}
.bad{color:var(--bad)}
.state{font-weight:600}
.state,.unbroken{white-space:nowrap}
.verdict{font-weight:600}
.box{border:1px solid var(--line);border-left-width:.3rem;border-radius:.375rem;padding:.5rem 1rem;margin:1rem 0}
.box.good,.box.bad{border-left-color:currentColor}
.box>*{color:var(--text)}
.box>.verdict{color:inherit}
.box>.quiet{color:var(--quiet)}
.digest{display:inline-block;max-width:20.5ch;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;vertical-align:bottom;user-select:all;-webkit-user-select:all}
.whole{user-select:all;-webkit-user-select:all}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.1rem 1rem;margin:.25rem 0}
dt{color:var(--quiet)}
dd{margin:0}
section.service{border-top:1px solid var(--line);margin-top:2.5rem}
section.service>h2{margin-top:1rem}
table{width:100%;border-collapse:collapse;margin:1rem 0;font-size:.9375rem}
caption{text-align:left;font-weight:600;padding:.25rem 0}
th,td{overflow-wrap:break-word;text-align:left;vertical-align:top;padding:.35rem .75rem .35rem 0;border-top:1px solid var(--line)}
thead th{border-top:0;color:var(--quiet);font-weight:400;font-size:.875rem;padding-top:0}
tbody th{font-weight:600}
small{font-size:.8125rem;font-weight:400;color:var(--quiet)}
td small,th small{display:block}
td code{overflow-wrap:anywhere}
small .state{font-weight:400}
.scroll{overflow-x:auto}
.matrix{width:auto;overflow-wrap:normal}
.matrix th,.matrix td{padding-right:2rem}
.matrix caption{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
@media screen and (max-width:${NARROW}){
.cards thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.cards,.cards caption,.cards tbody,.cards tr,.cards th,.cards td{display:block}
.cards tr{border-top:1px solid var(--line);padding:.5rem 0}
.cards th,.cards td{border:0;padding:.1rem 0}
.cards td{display:grid;grid-template-columns:6.5rem minmax(0,1fr);gap:0 .5rem}
.cards td::before{content:attr(data-title);color:var(--quiet)}
.cards td.none{display:none}
.cards .beside{display:inline}
.matrix th,.matrix td{padding-right:.5rem;font-size:.8125rem}
.matrix .state{font-size:.8125rem;white-space:normal}
}
@media print{
:root{color-scheme:light;${variables(LIGHT)}}
html{font-size:10pt}
h2,caption{break-after:avoid}
tr,pre,.box,.problem{break-inside:avoid}
a{color:inherit;text-decoration:none}
}
`;

// packages/report/src/html/page.ts
var STYLE_ELEMENT = new Markup(`<style>${STYLE}</style>`);
var POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash3("sha256").update(STYLE).digest("base64")}'`,
  "base-uri 'none'",
  "form-action 'none'"
].join("; ");
function renderHtml(raw) {
  const report = printable(raw);
  const { words, tone } = outcome(report);
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${POLICY}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="referrer" content="no-referrer" />
        <title>${title2(report)} ${words}</title>
        ${STYLE_ELEMENT}
      </head>
      <body>
        <header>
          <h1>${title2(report)} ${mark(tone, words)}</h1>
          <p>${extent(report)}</p>
          <p class="quiet">${began(report.began)}${provenance(report)}</p>
        </header>
        <main>
          ${verdict(report)}${gate(report.gate)}${record2(report)}${next(report.next)}${problems3(groupProblems(report))}${overview(report)}${report.services.map(
    (service2, index) => serviceSection(service2, index, report)
  )}
        </main>
      </body>
    </html> `;
  return `${page.html.trimEnd()}
`;
}
function began(time3) {
  if (time3 === void 0) return void 0;
  const [, day, minute] = /^([\d-]{10})T(\d\d:\d\d)/.exec(time3) ?? [];
  const words = day === void 0 || minute === void 0 ? time3 : `${day} ${minute} UTC`;
  return html`<time datetime="${time3}">${words}</time> · `;
}
function verdict(report) {
  const failed = failure2(report);
  return failed === void 0 ? void 0 : html`<p class="verdict ${outcome(report).tone}">${failed}</p> `;
}
function gate(report) {
  if (report === void 0) return void 0;
  const { open: open3, reasons, later: later2 } = report;
  const tone = open3 ? "good" : "bad";
  const said = open3 ? "open: every candidate is verified in every required registry" : "closed";
  const list2 = (items) => html`<ul>
      ${items.map((item) => html`<li>${broken(item)}</li>`)}
    </ul>`;
  return html`<div class="box ${tone}">
    <p class="verdict">Gate ${said}</p>
    ${reasons.length === 0 ? void 0 : list2(reasons)}${later2.length === 0 ? void 0 : html`<p>Left for later:</p>
            ${list2(later2)}`}
  </div> `;
}
function record2(report) {
  const fact = recordFact(report);
  return fact === void 0 ? void 0 : html`<p>Record ${fact}.</p> `;
}
function next(command) {
  if (command === void 0) return void 0;
  return html`<h2>Next</h2>
    <p>This command does what is left to do:</p>
    ${preformatted(command, "command")} `;
}
function problems3(groups) {
  if (groups.length === 0) return void 0;
  return html`<h2>${groups.length === 1 ? "Problem" : "Problems"}</h2>
    ${groups.map(problem)}`;
}
function problem({ code: code3, what, remedy, places }) {
  const [first, ...output2] = what.split("\n");
  const where2 = placeLines(places).map((place2) => html`<li>${broken(place2)}</li>`);
  return html`<div class="problem box bad">
    <p class="verdict">${first}</p>
    ${output2.length === 0 ? void 0 : preformatted(output2.join("\n"), "output")}
    ${where2.length === 0 ? void 0 : html`<ul>
            ${where2}
          </ul>`}
    <p class="quiet">${code3}</p>
    ${remedy === void 0 ? void 0 : [html`<h3>What to do</h3>`, ...remedyParts(remedy).map(remedyPart)]}
  </div> `;
}
function remedyPart({ kind, text: text2 }) {
  return kind === "prose" ? html`<p>${broken(text2)}</p>` : preformatted(text2, "command");
}
function overview({ services }) {
  const registries3 = [
    ...new Set(services.flatMap((service2) => service2.registries.map(({ registry: registry2 }) => registry2)))
  ];
  if (services.length === 0) return void 0;
  const rows = services.map((service2, index) => [
    html`<a href="#${anchorOf(index)}">${service2.service}</a
      ><small>${stateMark(service2.state)} ${unbroken(duration3(service2.durationMs))}</small>`,
    ...registries3.map((registry2) => place(service2, registry2))
  ]);
  return html`<h2>Overview</h2>
    ${matrixTable({ caption: "Services and registries", columns: ["service", ...registries3], rows })}`;
}
function place(service2, registry2) {
  const row = service2.registries.find((each) => each.registry === registry2);
  if (row === void 0) return void 0;
  const tags2 = tagCount(service2, registry2);
  return html`${stateMark(row.state)}${tags2 === void 0 ? void 0 : html`<small>${mark(tags2.tone, tags2.words)}</small>`}`;
}

// packages/report/src/json.ts
var KEYS = {
  command: true,
  ok: true,
  version: true,
  engine: true,
  pipeline: true,
  began: true,
  next: true,
  service: true,
  platform: true,
  registry: true,
  reference: true,
  state: true,
  code: true,
  what: true,
  where: true,
  remedy: true,
  revision: true,
  tag: true,
  digest: true,
  size: true,
  uploaded: true,
  files: true,
  machine: true,
  lines: true,
  recorded: true,
  elf: true,
  foreign: true,
  smoke: true,
  before: true,
  told: true,
  problem: true,
  open: true,
  reasons: true,
  later: true,
  gate: true,
  services: true,
  variants: true,
  registries: true,
  tags: true,
  problems: true,
  notes: true,
  durationMs: true,
  record: true
};
function renderJson({ record: record5, ...report }) {
  const ordered = JSON.parse(JSON.stringify(report, Object.keys(KEYS)));
  return JSON.stringify(record5 === void 0 ? ordered : { ...ordered, record: record5 }, null, 2);
}

// packages/report/src/registry-columns.ts
var REGISTRY_COLUMNS = ["service", "registry", "state", "digest", "sent", "time", "record"];
function toldColumns({ services }) {
  const registries3 = services.flatMap((service2) => service2.registries);
  return REGISTRY_COLUMNS.map((title3) => {
    if (title3 === "sent") return registries3.some(({ uploaded }) => uploaded !== void 0);
    if (title3 === "record") return registries3.some(({ record: record5 }) => record5 !== void 0);
    return true;
  });
}

// packages/report/src/markdown.ts
function renderMarkdown(raw) {
  const report = printable(raw);
  const blocks = [
    `## ${code(title2(report))} ${SIGNS2[outcome(report).tone]} ${outcome(report).words}`,
    headline(report),
    gate2(report),
    report.next === void 0 ? void 0 : `**Next**

${fence(report.next, "sh")}`,
    problems4(report),
    record3(report),
    registries2(report),
    tags(report),
    variants(report),
    ...report.services.map(service)
  ];
  return `${blocks.filter((block) => block !== void 0).join("\n\n")}
`;
}
var SIGNS2 = { good: "\u2705", waiting: "\u26A0\uFE0F", bad: "\u274C" };
function headline(report) {
  const failed = failure2(report);
  const ran = provenance(report);
  const first = `${extent(report)}${failed === void 0 ? "" : ` \u2014 ${text(failed)}`}`;
  return ran === "" ? first : `${first}  
_${text(ran)}_`;
}
function service(report) {
  const lines2 = [
    `- ${report.state} in ${duration3(report.durationMs)}${report.tag === void 0 ? "" : ` \xB7 tag ${code(report.tag)}`}`
  ];
  const digest = digestFact(report);
  if (digest.kind === "one") {
    lines2.push(
      `- digest ${code(digest.digest)}${digest.remark === void 0 ? "" : ` (${text(digest.remark)})`}`
    );
  } else if (digest.kind === "differ") {
    lines2.push("- **the digests differ:**");
    for (const each of digest.digests) {
      lines2.push(`  - ${code(each.digest)} in ${text(each.registries.join(", ")) || "no registry"}`);
    }
  }
  if (report.revision !== void 0) lines2.push(`- revision ${code(report.revision)}`);
  for (const { reference, state } of report.registries) {
    const missing2 = state === "failed" || state === "not started" ? ` (${state})` : "";
    lines2.push(`- ${code(reference)}${missing2}`);
  }
  for (const note of report.notes) lines2.push(`- note: ${text(note)}`);
  return `### ${text(report.service)}

${lines2.join("\n")}`;
}
function registries2(report) {
  const strong = (state) => state === "failed" || state === "not started" ? `**${state}**` : state;
  const rows = report.services.flatMap(
    ({ service: service2, registries: registries3 }) => registries3.map((each) => [
      text(service2),
      text(each.registry),
      strong(each.state),
      each.digest === void 0 ? "-" : code(shortDigest2(each.digest)),
      each.uploaded === void 0 ? "-" : size(each.uploaded),
      each.state === "not started" ? "-" : duration3(each.durationMs),
      strong(each.record ?? "-")
    ])
  );
  if (rows.length === 0) return void 0;
  const told2 = toldColumns(report);
  const shown = (cells2) => cells2.filter((_, column) => told2[column]);
  return table(shown(REGISTRY_COLUMNS), rows.map(shown));
}
function gate2(report) {
  const [first, ...others] = gateLines(report);
  if (first === void 0) return void 0;
  return [`**${text(first)}**`, "", ...others.map((line) => `- ${text(line)}`)].join("\n").trimEnd();
}
function record3(report) {
  const fact = recordFact(report);
  return fact === void 0 ? void 0 : `**record** ${text(fact)}`;
}
function tags(report) {
  const rows = tagRows(report, report.version).map(({ service: service2, registry: registry2, lines: lines2, complete }) => {
    const told2 = lines2.map(text).join("<br>");
    return [text(service2), text(registry2), complete ? told2 : `**${told2}**`];
  });
  return rows.length === 0 ? void 0 : table(["service", "registry", "tags"], rows);
}
function variants(report) {
  const rows = servicesWithVariants(report).flatMap(
    ({ service: service2, variants: variants2 }) => variants2.map((each) => {
      const foreign2 = foreignLines(each);
      const facts = fileFacts(each).map((fact) => foreign2.length === 0 ? fact : `**${fact}**`);
      const files2 = [...facts, ...foreign2.map(code)].join("<br>");
      const smoke = [smokeFact(each.smoke), ...(each.smoke?.lines ?? []).map(code)].join("<br>");
      const machine = text(each.smoke?.machine ?? "-");
      const digest = each.digest === void 0 ? "-" : code(shortDigest2(each.digest));
      return [text(service2), each.platform, variantSize(each), digest, files2, machine, smoke];
    })
  );
  return rows.length === 0 ? void 0 : table(["service", "platform", "size", "digest", "files", "machine", "smoke run"], rows);
}
function problems4(report) {
  const groups = groupProblems(report);
  return groups.length === 0 ? void 0 : `### Problems

${groups.map(problem2).join("\n").trimEnd()}`;
}
function problem2({ code: kind, what, remedy, places }) {
  const [first = "", ...output2] = what.split("\n");
  const blocks = [
    ...output2.length === 0 ? [] : [fence(output2.join("\n"), "text")],
    ...places.length === 0 ? [] : [
      placeLines(places).map((line) => `- at ${text(line)}`).join("\n")
    ],
    ...(remedy === void 0 ? [] : remedyParts(remedy)).map(
      (part) => part.kind === "prose" ? text(part.text) : fence(part.text, "sh")
    )
  ];
  const inner = blocks.filter((block) => block !== "").map((block) => `
${indent(block, "  ")}
`);
  return `- **${kind}** ${text(first)}
${inner.join("")}`;
}

// packages/report/src/problem.ts
var TRACE = / ?\[traceparent:[0-9a-f-]+\]/g;
function problemOf2(error2) {
  if (isTgoError(error2)) {
    const { code: code3, where: where2, remedy } = error2;
    return { code: code3, what: error2.what.replaceAll(TRACE, ""), where: where2, remedy };
  }
  return { code: "INTERNAL", what: oneLine(error2).replaceAll(TRACE, "") };
}

// packages/report/src/text.ts
var import_picocolors = __toESM(require_picocolors(), 1);

// packages/report/src/table.ts
function cell(text2, paint, align) {
  return { lines: typeof text2 === "string" ? [text2] : text2, paint, align };
}
function table2(header, rows, options) {
  const title3 = (text2, column) => cell(text2, options.paintHeader, rows[0]?.[column]?.align);
  const cells2 = [header.map(title3), ...rows];
  const widths = header.map(
    (_, column) => Math.max(...cells2.flatMap((row) => row[column]?.lines.map((line) => line.length) ?? []))
  );
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, options.indent.length);
  const last = Math.max(20, options.width - before);
  return cells2.flatMap((row) => {
    const fitted = row.map(
      (each, column) => column === header.length - 1 ? { ...each, lines: each.lines.flatMap((line) => wrap(line, last)) } : each
    );
    const height = Math.max(1, ...fitted.map((each) => each.lines.length));
    return Array.from({ length: height }, (_, index) => {
      const parts = fitted.map((each, column) => {
        const text2 = each.lines[index] ?? "";
        const width = column === header.length - 1 ? text2.length : widths[column] ?? 0;
        const padded = each.align === "right" ? text2.padStart(width) : text2.padEnd(width);
        return each.paint === void 0 || text2 === "" ? padded : each.paint(padded);
      });
      return (options.indent + parts.join("  ")).trimEnd();
    });
  });
}
function wrap(line, width) {
  if (line.length <= width || line.startsWith(" ")) return [line];
  const lines2 = [];
  let current = "";
  for (const word of line.split(" ")) {
    if (current !== "" && current.length + 1 + word.length > width) {
      lines2.push(current);
      current = word;
    } else {
      current = current === "" ? word : `${current} ${word}`;
    }
  }
  return [...lines2, current];
}

// packages/report/src/text.ts
function renderText(raw, { color = false, width = 100 } = {}) {
  const report = printable(raw);
  const page = { colors: import_picocolors.default.createColors(color), width };
  const blocks = [
    headline2(report, page),
    ...report.services.map((service2) => serviceBlock(service2, page)),
    gate3(report, page),
    record4(report, page),
    registryTable2(report, page),
    tagTable2(report, page),
    variantTable2(report, page),
    problems5(report, page),
    report.next === void 0 ? [] : [`next: ${page.colors.bold(report.next)}`]
  ];
  return blocks.filter((block) => block.length > 0).map((block) => block.join("\n")).join("\n\n");
}
function headline2(report, { colors, width }) {
  const { words, tone } = outcome(report);
  const paint = { good: colors.green, waiting: colors.yellow, bad: colors.red };
  const failed = failure2(report);
  return [
    `${colors.bold(title2(report))} ${paint[tone](tone === "bad" ? words.toUpperCase() : words)} \xB7 ${extent(report)}`,
    ...failed === void 0 ? [] : wrap(failed, width),
    colors.dim(provenance(report))
  ];
}
function gate3(report, { width }) {
  const [first, ...others] = gateLines(report);
  const hanging = others.flatMap(
    (line) => wrap(line, width - 4).map((part, index) => `${index === 0 ? "  " : "    "}${part}`)
  );
  return first === void 0 ? [] : [first, ...hanging];
}
function record4(report, { colors, width }) {
  const fact = recordFact(report);
  if (fact === void 0) return [];
  return wrap(fact, width - 8).map(
    (line, index) => `${index === 0 ? colors.dim("record") : "      "}  ${line}`
  );
}
function serviceBlock(service2, page) {
  const { colors } = page;
  const isBad = service2.state === "failed" || service2.state === "not released";
  const paint = isBad ? colors.red : colors.green;
  const lines2 = [
    `${colors.bold(service2.service)}  ${paint(service2.state)}${colors.dim(` (${duration3(service2.durationMs)})`)}`
  ];
  const fact = (name4, text2) => {
    lines2.push(`  ${colors.dim(name4.padEnd(8))}  ${text2}`);
  };
  const digest = digestFact(service2);
  if (digest.kind === "one") {
    fact("digest", digest.digest);
    if (digest.remark !== void 0) fact("", `(${digest.remark})`);
  } else if (digest.kind === "differ") {
    fact("digest", colors.red("DIFFERS:"));
    for (const each of digest.digests) {
      fact("", `${each.digest} in ${each.registries.join(", ") || "no registry"}`);
    }
  }
  if (service2.tag !== void 0) fact("tag", service2.tag);
  if (service2.revision !== void 0) fact("revision", service2.revision);
  service2.registries.forEach(({ reference, state }, index) => {
    const missing2 = state === "failed" || state === "not started" ? ` (${state})` : "";
    fact(index === 0 ? "images" : "", `${reference}${missing2}`);
  });
  for (const note of service2.notes) {
    wrap(note, page.width - 12).forEach((line, index) => {
      fact(index === 0 ? "note" : "", line);
    });
  }
  return lines2;
}
function registryTable2(report, { colors, width }) {
  const rows = report.services.flatMap(
    ({ service: service2, registries: registries3 }) => registries3.map((registry2, index) => [
      cell(index === 0 ? service2 : "", colors.bold),
      cell(registry2.registry),
      cell(registry2.state, statePaint(registry2, colors)),
      cell(registry2.digest === void 0 ? "-" : shortDigest2(registry2.digest)),
      cell(sent2(registry2), void 0, "right"),
      cell(registry2.state === "not started" ? "-" : duration3(registry2.durationMs)),
      cell(registry2.record ?? "-", registry2.record === "failed" ? colors.red : void 0)
    ])
  );
  if (rows.length === 0) return [];
  const told2 = toldColumns(report);
  const shown = (cells2) => cells2.filter((_, column) => told2[column]);
  return table2(shown(REGISTRY_COLUMNS), rows.map(shown), { width, indent: "", paintHeader: colors.dim });
}
function statePaint({ state }, colors) {
  if (state === "failed") return colors.red;
  return state === "not started" ? colors.yellow : colors.green;
}
function sent2({ uploaded, state }) {
  if (uploaded === void 0) return "-";
  return uploaded === 0 && state !== "failed" ? "nothing" : size(uploaded);
}
function tagTable2(report, { colors, width }) {
  const rows = tagRows(report).map(({ service: service2, registry: registry2, lines: lines2, complete }, index, all) => [
    cell(all[index - 1]?.service === service2 ? "" : service2, colors.bold),
    cell(registry2),
    cell(lines2, complete ? colors.green : colors.red)
  ]);
  if (rows.length === 0) return [];
  return table2(["service", "registry", "tags"], rows, { width, indent: "", paintHeader: colors.dim });
}
function variantTable2(report, { colors, width }) {
  const rows = servicesWithVariants(report).flatMap(
    ({ service: service2, variants: variants2 }) => variants2.map((variant, index) => {
      const { smoke } = variant;
      const foreign3 = foreignLines(variant);
      const badSmoke = smoke?.ok === false;
      return [
        cell(index === 0 ? service2 : "", colors.bold),
        cell(variant.platform),
        cell(variantSize(variant), void 0, "right"),
        cell(fileFacts(variant), foreign3.length > 0 ? colors.red : void 0),
        cell(smoke?.machine ?? "-"),
        cell([smokeFact(smoke), ...smoke?.lines ?? []], badSmoke ? colors.red : void 0)
      ];
    })
  );
  if (rows.length === 0) return [];
  const header = ["service", "platform", "size", "files", "machine", "smoke run"];
  const foreign2 = report.services.flatMap(
    ({ service: service2, variants: variants2 }) => variants2.flatMap((variant) => {
      const paths = foreignLines(variant);
      if (paths.length === 0) return [];
      return [`foreign files in ${service2} ${variant.platform}:`, ...paths.map((path) => `  ${path}`)];
    })
  );
  return [
    ...table2(header, rows, { width, indent: "", paintHeader: colors.dim }),
    ...foreign2.length > 0 ? ["", ...foreign2] : []
  ];
}
function problems5(report, { colors, width }) {
  const groups = groupProblems(report);
  if (groups.length === 0) return [];
  const lines2 = [colors.bold(groups.length === 1 ? "problem" : "problems")];
  groups.forEach(({ code: code3, what, remedy, places }, index) => {
    const number3 = groups.length === 1 ? "" : `${index + 1}. `;
    const pad = " ".repeat(2 + number3.length);
    const text2 = what.split("\n").flatMap((line) => wrap(line, width - pad.length));
    lines2.push(`  ${number3}${colors.red(text2[0] ?? "")}`);
    lines2.push(...text2.slice(1).map((line) => `${pad}${line}`));
    for (const line of placeLines(places)) lines2.push(`${pad}${colors.dim("at")}  ${line}`);
    lines2.push(`${pad}${colors.dim(`code ${code3}`)}`);
    if (remedy !== void 0) {
      remedyLines(remedy, width - pad.length - 3).forEach((line, at) => {
        lines2.push(`${pad}${at === 0 ? "-> " : "   "}${line}`);
      });
    }
  });
  return lines2;
}
function remedyLines(remedy, width) {
  return remedyParts(remedy).flatMap(({ kind, text: text2 }) => {
    const lines2 = text2.split("\n");
    return kind === "prose" ? lines2.flatMap((line) => wrap(line, width)) : lines2;
  });
}

// packages/report/src/render.ts
function render2(report, format, options = {}) {
  switch (format) {
    case "text":
      return renderText(report, options);
    case "json":
      return renderJson(report);
    case "markdown":
      return renderMarkdown(report);
    case "html":
      return renderHtml(report);
  }
}

// packages/report/src/repeat.ts
var MENDED_FIRST = /* @__PURE__ */ new Set([
  ...["USAGE", "CATALOG", "SOURCE", "BUILD", "CHECK", "SMOKE", "CONFLICT"]
]);
function isRetryable({ services, problems: problems6 = [] }) {
  const own2 = [...problems6, ...services.flatMap((service2) => service2.problems)];
  const ofRegistries = services.flatMap((service2) => [
    ...service2.registries.flatMap((registry2) => registry2.problems),
    ...(service2.tags ?? []).flatMap(({ problem: problem3 }) => problem3 ?? [])
  ]);
  return [...own2.filter(({ code: code3 }) => code3 !== "NOT_FOUND"), ...ofRegistries].some(
    ({ code: code3 }) => !MENDED_FIRST.has(code3)
  );
}

// packages/publishing/src/publish/attempt.ts
async function attempt(context, name4, run3, registries3 = []) {
  const started = performance.now();
  const durationMs = () => Math.round(performance.now() - started);
  try {
    const result = await run3();
    return { ...result, durationMs: durationMs() };
  } catch (error2) {
    return {
      service: name4,
      state: "failed",
      variants: [],
      registries: registries3,
      problems: [problemOf2(interrupted(context) ?? error2)],
      notes: [],
      durationMs: durationMs()
    };
  }
}
function interrupted(context) {
  if (context.signal?.aborted !== true) return void 0;
  return new TgoError("INTERRUPTED", "stopped before it was done; what is not tagged yet stays untagged", {
    remedy: "Run the same command again: what is done is not done twice."
  });
}

// packages/publishing/src/preflight/clock.ts
var TOLERATED_SECONDS = 60;
function skewSeconds(date4, sent3, received) {
  const shown = date4.getTime();
  if (shown + 1e3 < sent3) return Math.round((sent3 - shown) / 1e3);
  return shown > received ? -Math.round((shown - received) / 1e3) : 0;
}
function clockProblems(skews) {
  const least = /* @__PURE__ */ new Map();
  for (const skew of skews) {
    const known = least.get(skew.registry);
    if (known === void 0 || Math.abs(skew.seconds) < Math.abs(known.seconds))
      least.set(skew.registry, skew);
  }
  const all = [...least.values()];
  const off = all.filter(({ seconds }) => Math.abs(seconds) > TOLERATED_SECONDS);
  const [first] = off;
  if (first === void 0) return [];
  const agree = all.every(({ seconds }) => Math.abs(seconds - first.seconds) <= TOLERATED_SECONDS);
  if (agree) {
    return [
      {
        code: "ENVIRONMENT",
        what: `this machine's clock is ${distance2(first.seconds)} that of ${all.length === 1 ? "the registry" : `all ${all.length} registries`}`,
        where: all.map(({ host }) => host).join(", "),
        remedy: "Set this machine's clock (NTP): certificates, logins and package lists are valid for a time."
      }
    ];
  }
  return off.map(({ registry: registry2, host, seconds }) => ({
    code: "ENVIRONMENT",
    what: `the clock of ${registry2} is ${distance2(-seconds)} this machine's, which other registries agree with`,
    where: host,
    remedy: "Tell whoever runs it: its logins may end too early or never begin."
  }));
}
function distance2(seconds) {
  const size2 = Math.abs(seconds);
  const text2 = size2 < 600 ? `${size2} s` : size2 < 36e3 ? `${Math.round(size2 / 60)} min` : `${Math.round(size2 / 3600)} h`;
  return `${text2} ${seconds > 0 ? "ahead of" : "behind"}`;
}

// packages/publishing/src/preflight/foreign-program.ts
var PROGRAMS2 = {
  // mov eax, 60; xor edi, edi; syscall
  "linux/amd64": { machine: 62, code: [184, 60, 0, 0, 0, 49, 255, 15, 5] },
  // mov x8, #93; mov x0, #0; svc #0
  "linux/arm64": { machine: 183, code: [168, 11, 128, 210, 0, 0, 128, 210, 1, 0, 0, 212] }
};
var HEADER = 64;
var SEGMENT = 56;
var ADDRESS = 0x400000n;
function foreignProgram(platform2) {
  const { machine, code: code3 } = PROGRAMS2[platform2];
  const size2 = HEADER + SEGMENT + code3.length;
  const file = Buffer.alloc(size2);
  file.set([127, 69, 76, 70, 2, 1, 1]);
  file.writeUInt16LE(2, 16);
  file.writeUInt16LE(machine, 18);
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(ADDRESS + BigInt(HEADER + SEGMENT), 24);
  file.writeBigUInt64LE(BigInt(HEADER), 32);
  file.writeUInt16LE(HEADER, 52);
  file.writeUInt16LE(SEGMENT, 54);
  file.writeUInt16LE(1, 56);
  file.writeUInt32LE(1, HEADER);
  file.writeUInt32LE(5, HEADER + 4);
  file.writeBigUInt64LE(ADDRESS, HEADER + 16);
  file.writeBigUInt64LE(ADDRESS, HEADER + 24);
  file.writeBigUInt64LE(BigInt(size2), HEADER + 32);
  file.writeBigUInt64LE(BigInt(size2), HEADER + 40);
  file.writeBigUInt64LE(0x1000n, HEADER + 48);
  file.set(code3, HEADER + SEGMENT);
  return file;
}

// packages/publishing/src/preflight/problems.ts
async function checked(check2) {
  try {
    return { value: await check2(), problems: [] };
  } catch (error2) {
    return { value: void 0, problems: [problemOf2(error2)] };
  }
}
async function problemsOf(check2) {
  return (await checked(check2)).problems;
}
function withRemedy(problems6, remedy) {
  return problems6.map((problem3) => ({ ...problem3, remedy: problem3.remedy ?? remedy }));
}
function distinct(problems6) {
  return [...new Map(problems6.map((problem3) => [`${problem3.code} ${problem3.what}`, problem3])).values()];
}
function notReported(problems6, told2) {
  return distinct(problems6).filter(
    ({ code: code3, what }) => !told2.some((other) => other.code === code3 && other.what === what)
  );
}
function oneOfEach(problems6) {
  return problems6.filter(({ code: code3 }, index) => problems6.findIndex((other) => other.code === code3) === index);
}

// packages/publishing/src/preflight/engine.ts
async function checkEngine(context, services) {
  const foreign2 = context.platforms.filter((platform2) => platform2 !== context.native);
  const [space, ...emulation] = await Promise.all([
    checkDisk(context, services),
    ...foreign2.map((platform2) => problemsOf(() => checkEmulation(context, platform2)))
  ]);
  return { stopping: [...space.stopping, ...emulation.flat()], told: space.told };
}
var ASKED_AT = "TGO_ASKED_AT";
var GIGABYTE = 1024 ** 3;
async function checkDisk(context, services) {
  try {
    const tools = await toolsContainer(context);
    const output2 = await tools.withEnvVariable(ASKED_AT, (/* @__PURE__ */ new Date()).toISOString()).withExec(["df", "-Pk", "/"]).stdout();
    const problem3 = diskProblem(freeBytes(output2), services, context.engine);
    if (problem3 === void 0) return { stopping: [], told: [] };
    const { stops, ...told2 } = problem3;
    return stops ? { stopping: [told2], told: [] } : { stopping: [], told: [told2] };
  } catch (error2) {
    return { stopping: [problemOf2(error2)], told: [] };
  }
}
function freeBytes(output2) {
  const available = Number(output2.trim().split("\n").at(-1)?.split(/\s+/)[3]);
  return Number.isFinite(available) ? available * 1024 : void 0;
}
function diskProblem(free2, services, engine) {
  const wanted2 = services * GIGABYTE;
  if (free2 === void 0 || free2 >= wanted2) return void 0;
  const text2 = `${(free2 / GIGABYTE).toFixed(1)} GB`;
  return {
    code: "ENVIRONMENT",
    what: `the engine has ${text2} of disk left`,
    where: engine,
    remedy: `Free some: to build ${services === 1 ? "a service" : `${services} services`} anew takes up to ${services} GB.`,
    stops: free2 < GIGABYTE
  };
}
function reasonOf(error2) {
  const said = execFailure(error2)?.stderr.trim().split("\n").at(-1) ?? "";
  return said === "" ? errorMessage(error2).split("\n")[0] ?? "" : said;
}
async function checkEmulation(context, platform2) {
  const path = "/tgo-probe";
  const write2 = `require("fs").writeFileSync("${path}", Buffer.from(process.argv[1], "base64"))`;
  const program = (await toolsContainer(context)).withExec(["node", "-e", write2, foreignProgram(platform2).toString("base64")]).file(path);
  try {
    await context.client.container({ platform: platform2 }).withFile(path, program, { permissions: 493 }).withEnvVariable(ASKED_AT, (/* @__PURE__ */ new Date()).toISOString()).withExec([path]).sync();
  } catch (error2) {
    if (isTgoError(error2)) throw error2;
    throw new TgoError("ENVIRONMENT", `programs of ${platform2} do not run here: ${reasonOf(error2)}`, {
      where: context.engine,
      remedy: "Images of that platform are run before they are published. Let the engine's machine emulate it, with Docker or by Debian's packages.\ndocker run --privileged --rm tonistiigi/binfmt --install all\napt-get install -y qemu-user-static binfmt-support",
      cause: error2
    });
  }
}

// packages/publishing/src/publish/publish-outcome.ts
function splitByRequired({ targets }) {
  const needed = targets.filter(({ registry: registry2 }) => registry2.required);
  if (needed.length === 0) return { needed: targets, others: [] };
  return { needed, others: targets.filter(({ registry: registry2 }) => !registry2.required) };
}
async function settled({ late, ...report }) {
  const registries3 = await Promise.all(
    report.registries.map((row) => late?.get(row.registry) ?? Promise.resolve(row))
  );
  const failed = registries3.some(({ state }) => state === "failed" || state === "not started");
  return { ...report, registries: registries3, state: failed ? "failed" : report.state };
}

// packages/publishing/src/targets/target.ts
function referenceOf(target, service2, tag) {
  const { host, repository } = registryRepository(target.registry, service2);
  return `${host}/${repository}:${tag}`;
}
function repositoryOf2(target, service2) {
  return registryRepository(target.registry, service2).repository;
}

// packages/publishing/src/publish/not-started.ts
function notStarted(target, service2, tag) {
  return {
    registry: target.name,
    reference: tag === void 0 ? `${target.registry.host}/${repositoryOf2(target, service2)}` : referenceOf(target, service2, tag),
    state: "not started",
    problems: [],
    durationMs: 0
  };
}

// packages/image/src/platform.ts
var ARCHITECTURES = {
  x86_64: "amd64",
  "x86-64": "amd64",
  aarch64: "arm64",
  i386: "386"
};
function platformOf2({ os, architecture: architecture2, variant }) {
  const name4 = ARCHITECTURES[architecture2] ?? architecture2;
  const implied = name4 === "arm64" && variant === "v8" || name4 === "amd64" && variant === "v1";
  return variant === void 0 || variant === "" || implied ? `${os}/${name4}` : `${os}/${name4}/${variant}`;
}
function parsePlatform2(text2) {
  const match = /^([a-z0-9]+)\/([a-z0-9_-]+)(?:\/([a-z0-9.]+))?$/.exec(text2);
  const [, os, architecture2, variant] = match ?? [];
  if (os === void 0 || architecture2 === void 0) {
    throw new TgoError("USAGE", `"${text2}" is not a platform`, {
      remedy: 'Write it as "linux/amd64" or "linux/arm64".'
    });
  }
  const name4 = platformOf2({ os, architecture: architecture2, variant }).split("/");
  return {
    os,
    architecture: name4[1] ?? architecture2,
    ...name4[2] === void 0 ? {} : { variant: name4[2] }
  };
}

// packages/image/src/elf/python-extension.ts
function extensionMachine(path) {
  return /\.(?:cpython|pypy|graalpy)[^/.]*-([a-z0-9_]+)-linux-(?:gnu|musl)[a-z0-9_]*\.so$/.exec(path)?.[1];
}

// packages/image/src/elf/elf.ts
var ELF_HEADER_BYTES = 20;
function readElfHeader(bytes) {
  if (bytes.length < ELF_HEADER_BYTES) return void 0;
  if (bytes[0] !== 127 || bytes[1] !== 69 || bytes[2] !== 76 || bytes[3] !== 70) return void 0;
  const [elfClass, data] = [bytes[4], bytes[5]];
  if (elfClass !== 1 && elfClass !== 2 || data !== 1 && data !== 2) return void 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    class: elfClass === 2 ? 64 : 32,
    endianness: data === 1 ? "little" : "big",
    machine: view.getUint16(18, data === 1)
  };
}
var NAMES = {
  0: "none",
  2: "sparc",
  3: "i386",
  8: "mips",
  20: "ppc",
  21: "ppc64",
  22: "s390",
  40: "arm",
  43: "sparcv9",
  62: "x86-64",
  183: "aarch64",
  190: "cuda",
  224: "amdgpu",
  243: "riscv",
  247: "bpf",
  258: "loongarch"
};
var MACHINES2 = {
  amd64: 62,
  "386": 3,
  arm64: 183,
  arm: 40,
  riscv64: 243,
  ppc64le: 21,
  s390x: 22,
  loong64: 258
};
var PYTHON_NAMES = { x86_64: 62, aarch64: 183, i386: 3 };
var NEUTRAL = /* @__PURE__ */ new Set([0, 190, 224, 247]);
function machineOf(platform2) {
  const { architecture: architecture2 } = parsePlatform2(platform2);
  const machine = MACHINES2[architecture2];
  if (machine !== void 0) return machine;
  throw new TgoError("USAGE", `no ELF machine is known for the platform "${platform2}"`, {
    remedy: `Known architectures: ${Object.keys(MACHINES2).join(", ")}.`
  });
}
function machineName(machine) {
  return NAMES[machine] ?? `machine ${machine}`;
}
function isNeutral(machine) {
  return NEUTRAL.has(machine);
}
var ElfScan = class {
  #files = 0;
  #machines = /* @__PURE__ */ new Map();
  #foreign = [];
  #expected;
  #allowed;
  /** @param allow path patterns from the root, as {@link pathPattern} reads them. */
  constructor(platform2, { allow = [] } = {}) {
    this.#expected = machineOf(platform2);
    const patterns = allow.map(pathPattern);
    this.#allowed = (path) => patterns.some((pattern) => pattern.test(path));
  }
  /** @param path from the root, with its leading slash. @param machine undefined when the file is not ELF. */
  add(path, machine) {
    this.#files++;
    if (machine === void 0) return;
    const name4 = machineName(machine);
    this.#machines.set(name4, (this.#machines.get(name4) ?? 0) + 1);
    const why = this.#whyForeign(path, machine);
    if (why !== void 0 && !this.#allowed(path)) this.#foreign.push({ path, machine: why });
  }
  #whyForeign(path, machine) {
    if (isNeutral(machine)) return void 0;
    if (machine !== this.#expected) return machineName(machine);
    const named = extensionMachine(path) ?? "";
    const misnamed = (PYTHON_NAMES[named] ?? machine) !== machine;
    return misnamed ? `${machineName(machine)}, but named for ${named}: Python ignores it` : void 0;
  }
  report() {
    const byText = (a, b) => a < b ? -1 : a > b ? 1 : 0;
    return {
      files: this.#files,
      elf: [...this.#machines.values()].reduce((sum, count3) => sum + count3, 0),
      machines: Object.fromEntries([...this.#machines].sort(([a], [b]) => byText(a, b))),
      foreign: this.#foreign.sort((a, b) => byText(a.path, b.path))
    };
  }
};
function pathPattern(text2) {
  const whole = `/${text2.replace(/^\/+/, "")}${text2.endsWith("/") ? "**" : ""}`;
  const source = whole.replace(/\*\*\/?|\*|[.+?^${}()|[\]\\]/g, (part) => {
    if (part === "**/") return "(?:.*/)?";
    if (part === "**") return ".*";
    return part === "*" ? "[^/]*" : `\\${part}`;
  });
  return new RegExp(`^${source}$`, "s");
}

// packages/image/src/staging.ts
async function readStagedImage({
  registry: registry2,
  repository,
  reference
}) {
  const { value, descriptor } = await registry2.manifest(repository, reference, { fresh: true });
  if (!isIndex(value))
    return [
      await readVariant(registry2, repository, {
        manifest: value,
        digest: descriptor.digest,
        platform: void 0
      })
    ];
  return Promise.all(
    value.manifests.filter((child) => !isAttestation(child)).map(async (child) => {
      const { value: manifest } = await registry2.manifest(repository, child.digest, { fresh: true });
      if (isIndex(manifest)) {
        throw new TgoError("INVALID_RESPONSE", "the index lists another index", {
          where: address(registry2, repository, child.digest)
        });
      }
      const platform2 = child.platform === void 0 ? void 0 : platformOf2(child.platform);
      return readVariant(registry2, repository, { manifest, digest: child.digest, platform: platform2 });
    })
  );
}
function isAttestation({ platform: platform2, annotations }) {
  return annotations?.[ATTESTATION_ANNOTATION] !== void 0 || platform2?.os === "unknown" || platform2?.architecture === "unknown";
}
async function readBlob(registry2, repository, { digest, size: size2 }) {
  const where2 = address(registry2, repository, digest);
  if (size2 > MAX_MANIFEST_BYTES)
    throw new TgoError("INVALID_RESPONSE", `a config of ${size2} bytes is no image config`, { where: where2 });
  const chunks = [];
  for await (const chunk of await registry2.blob(repository, digest)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
async function readVariant(registry2, repository, { manifest, digest, platform: platform2 }) {
  const bytes = await readBlob(registry2, repository, manifest.config);
  return {
    platform: platform2,
    digest,
    manifest,
    config: parseConfig(bytes, address(registry2, repository, manifest.config.digest))
  };
}

// packages/image/src/finalise.ts
async function finaliseImage({
  source,
  ...options
}) {
  const staged = await readStagedImage(source);
  return finaliseVariants(staged, options, address(source.registry, source.repository, source.reference));
}
function finaliseVariants(staged, options, where2) {
  checkVariants(staged, options.platforms, where2);
  const variants2 = staged.map((variant) => finaliseVariant(variant, options)).sort((a, b) => a.platform < b.platform ? -1 : 1);
  const value = {
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: variants2.map(({ platform: platform2, manifest }) => ({
      mediaType: OCI_MANIFEST,
      digest: manifest.digest,
      size: manifest.bytes.length,
      platform: parsePlatform2(platform2)
    })),
    annotations: { ...options.annotations }
  };
  const { bytes, digest } = seal(value);
  return { digest, index: { bytes, mediaType: OCI_INDEX, value }, variants: variants2 };
}
function finaliseVariant({ manifest, config: config2 }, options) {
  const sealedConfig = seal(finaliseConfig(config2, options));
  const layers = manifest.layers.map(finaliseLayer);
  const value = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: OCI_CONFIG, digest: sealedConfig.digest, size: sealedConfig.bytes.length },
    layers,
    ...options.manifestAnnotations === void 0 ? {} : { annotations: { ...options.manifestAnnotations } }
  };
  return {
    platform: platformOf2(config2),
    manifest: seal(value),
    config: sealedConfig,
    layers,
    size: layers.reduce((sum, { size: size2 }) => sum + size2, sealedConfig.bytes.length)
  };
}
var BUILD_LEFTOVERS = ["container", "container_config", "id", "parent"];
function finaliseConfig(config2, { created, labels = {}, history = "keep" }) {
  const time3 = `${created.toISOString().slice(0, 19)}Z`;
  const { history: entries2, ...rest } = config2;
  const kept = Object.fromEntries(Object.entries(rest).filter(([key2]) => !BUILD_LEFTOVERS.includes(key2)));
  const merged = { ...config2.config?.Labels, ...labels };
  return {
    ...kept,
    created: time3,
    ...config2.config === void 0 && Object.keys(merged).length === 0 ? {} : { config: { ...config2.config, ...Object.keys(merged).length === 0 ? {} : { Labels: merged } } },
    ...history === "keep" && entries2 != null ? { history: entries2.map((entry) => ({ ...entry, created: time3 })) } : {}
  };
}
var AS_OCI = {
  [DOCKER_LAYER]: OCI_LAYER,
  [DOCKER_LAYER_GZIP]: OCI_LAYER_GZIP,
  [DOCKER_LAYER_ZSTD]: OCI_LAYER_ZSTD,
  [DOCKER_FOREIGN_LAYER_GZIP]: OCI_FOREIGN_LAYER_GZIP
};
function finaliseLayer({ mediaType, digest, size: size2, urls, annotations }) {
  return {
    mediaType: AS_OCI[mediaType] ?? mediaType,
    digest,
    size: size2,
    ...urls === void 0 ? {} : { urls },
    // A lazy puller's table of contents is found by the layer's annotations.
    ...annotations === void 0 ? {} : { annotations }
  };
}
function checkVariants(staged, platforms, where2) {
  const planned = platforms.map((platform2) => platformOf2(parsePlatform2(platform2)));
  const built = staged.map(({ config: config2 }) => platformOf2(config2));
  const problems6 = [
    ...planned.filter((platform2) => !built.includes(platform2)).map((platform2) => `${platform2} is missing`),
    ...built.filter((platform2) => !planned.includes(platform2)).map((platform2) => `${platform2} is not planned`),
    ...built.filter((platform2, at) => built.indexOf(platform2) !== at).map((platform2) => `${platform2} is there twice`),
    ...staged.flatMap(
      ({ platform: platform2, config: config2 }) => platform2 === void 0 || platform2 === platformOf2(config2) ? [] : [`the variant listed for ${platform2} has the config of ${platformOf2(config2)}`]
    ),
    ...staged.flatMap(
      ({ manifest, config: config2 }) => manifest.layers.length === config2.rootfs.diff_ids.length ? [] : [
        `${platformOf2(config2)} has ${manifest.layers.length} layers, and its config lists ${config2.rootfs.diff_ids.length}`
      ]
    )
  ];
  if (problems6.length === 0) return;
  throw new TgoError("CHECK", `the staged image is not the planned one: ${problems6.join("; ")}`, {
    where: where2,
    remedy: `Planned: ${planned.join(", ")}. Build again; if it stays, the build ignores the platform it is asked for.`
  });
}
function seal(value) {
  const bytes = new TextEncoder().encode(canonicalJson2(value));
  return { bytes, digest: digestOf(bytes) };
}

// packages/image/src/layers.ts
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import * as zlib from "node:zlib";

// node_modules/tar/dist/esm/parse.js
import { EventEmitter as EE } from "events";

// node_modules/minizlib/dist/esm/index.js
import assert2 from "assert";
import { Buffer as Buffer2 } from "buffer";

// node_modules/minipass/dist/esm/index.js
import { EventEmitter } from "node:events";
import Stream from "node:stream";
import { StringDecoder } from "node:string_decoder";
var proc = typeof process === "object" && process ? process : {
  stdout: null,
  stderr: null
};
var isStream = (s) => !!s && typeof s === "object" && (s instanceof Minipass || s instanceof Stream || isReadable(s) || isWritable(s));
var isReadable = (s) => !!s && typeof s === "object" && s instanceof EventEmitter && typeof s.pipe === "function" && // node core Writable streams have a pipe() method, but it throws
s.pipe !== Stream.Writable.prototype.pipe;
var isWritable = (s) => !!s && typeof s === "object" && s instanceof EventEmitter && typeof s.write === "function" && typeof s.end === "function";
var EOF = /* @__PURE__ */ Symbol("EOF");
var MAYBE_EMIT_END = /* @__PURE__ */ Symbol("maybeEmitEnd");
var EMITTED_END = /* @__PURE__ */ Symbol("emittedEnd");
var EMITTING_END = /* @__PURE__ */ Symbol("emittingEnd");
var EMITTED_ERROR = /* @__PURE__ */ Symbol("emittedError");
var CLOSED = /* @__PURE__ */ Symbol("closed");
var READ2 = /* @__PURE__ */ Symbol("read");
var FLUSH = /* @__PURE__ */ Symbol("flush");
var FLUSHCHUNK = /* @__PURE__ */ Symbol("flushChunk");
var ENCODING = /* @__PURE__ */ Symbol("encoding");
var DECODER = /* @__PURE__ */ Symbol("decoder");
var FLOWING = /* @__PURE__ */ Symbol("flowing");
var PAUSED = /* @__PURE__ */ Symbol("paused");
var RESUME = /* @__PURE__ */ Symbol("resume");
var BUFFER = /* @__PURE__ */ Symbol("buffer");
var PIPES = /* @__PURE__ */ Symbol("pipes");
var BUFFERLENGTH = /* @__PURE__ */ Symbol("bufferLength");
var BUFFERPUSH = /* @__PURE__ */ Symbol("bufferPush");
var BUFFERSHIFT = /* @__PURE__ */ Symbol("bufferShift");
var OBJECTMODE = /* @__PURE__ */ Symbol("objectMode");
var DESTROYED = /* @__PURE__ */ Symbol("destroyed");
var ERROR = /* @__PURE__ */ Symbol("error");
var EMITDATA = /* @__PURE__ */ Symbol("emitData");
var EMITEND = /* @__PURE__ */ Symbol("emitEnd");
var EMITEND2 = /* @__PURE__ */ Symbol("emitEnd2");
var ASYNC = /* @__PURE__ */ Symbol("async");
var ABORT = /* @__PURE__ */ Symbol("abort");
var ABORTED = /* @__PURE__ */ Symbol("aborted");
var SIGNAL = /* @__PURE__ */ Symbol("signal");
var DATALISTENERS = /* @__PURE__ */ Symbol("dataListeners");
var DISCARDED = /* @__PURE__ */ Symbol("discarded");
var defer = (fn) => Promise.resolve().then(fn);
var nodefer = (fn) => fn();
var isEndish = (ev) => ev === "end" || ev === "finish" || ev === "prefinish";
var isArrayBufferLike = (b) => b instanceof ArrayBuffer || !!b && typeof b === "object" && b.constructor && b.constructor.name === "ArrayBuffer" && b.byteLength >= 0;
var isArrayBufferView = (b) => !Buffer.isBuffer(b) && ArrayBuffer.isView(b);
var Pipe = class {
  src;
  dest;
  opts;
  ondrain;
  constructor(src, dest, opts) {
    this.src = src;
    this.dest = dest;
    this.opts = opts;
    this.ondrain = () => src[RESUME]();
    this.dest.on("drain", this.ondrain);
  }
  unpipe() {
    this.dest.removeListener("drain", this.ondrain);
  }
  // only here for the prototype
  /* c8 ignore start */
  proxyErrors(_er) {
  }
  /* c8 ignore stop */
  end() {
    this.unpipe();
    if (this.opts.end)
      this.dest.end();
  }
};
var PipeProxyErrors = class extends Pipe {
  unpipe() {
    this.src.removeListener("error", this.proxyErrors);
    super.unpipe();
  }
  constructor(src, dest, opts) {
    super(src, dest, opts);
    this.proxyErrors = (er) => this.dest.emit("error", er);
    src.on("error", this.proxyErrors);
  }
};
var isObjectModeOptions = (o) => !!o.objectMode;
var isEncodingOptions = (o) => !o.objectMode && !!o.encoding && o.encoding !== "buffer";
var Minipass = class extends EventEmitter {
  [FLOWING] = false;
  [PAUSED] = false;
  [PIPES] = [];
  [BUFFER] = [];
  [OBJECTMODE];
  [ENCODING];
  [ASYNC];
  [DECODER];
  [EOF] = false;
  [EMITTED_END] = false;
  [EMITTING_END] = false;
  [CLOSED] = false;
  [EMITTED_ERROR] = null;
  [BUFFERLENGTH] = 0;
  [DESTROYED] = false;
  [SIGNAL];
  [ABORTED] = false;
  [DATALISTENERS] = 0;
  [DISCARDED] = false;
  /**
   * true if the stream can be written
   */
  writable = true;
  /**
   * true if the stream can be read
   */
  readable = true;
  /**
   * If `RType` is Buffer, then options do not need to be provided.
   * Otherwise, an options object must be provided to specify either
   * {@link Minipass.SharedOptions.objectMode} or
   * {@link Minipass.SharedOptions.encoding}, as appropriate.
   */
  constructor(...args) {
    const options = args[0] || {};
    super();
    if (options.objectMode && typeof options.encoding === "string") {
      throw new TypeError("Encoding and objectMode may not be used together");
    }
    if (isObjectModeOptions(options)) {
      this[OBJECTMODE] = true;
      this[ENCODING] = null;
    } else if (isEncodingOptions(options)) {
      this[ENCODING] = options.encoding;
      this[OBJECTMODE] = false;
    } else {
      this[OBJECTMODE] = false;
      this[ENCODING] = null;
    }
    this[ASYNC] = !!options.async;
    this[DECODER] = this[ENCODING] ? new StringDecoder(this[ENCODING]) : null;
    if (options && options.debugExposeBuffer === true) {
      Object.defineProperty(this, "buffer", { get: () => this[BUFFER] });
    }
    if (options && options.debugExposePipes === true) {
      Object.defineProperty(this, "pipes", { get: () => this[PIPES] });
    }
    const { signal } = options;
    if (signal) {
      this[SIGNAL] = signal;
      if (signal.aborted) {
        this[ABORT]();
      } else {
        signal.addEventListener("abort", () => this[ABORT]());
      }
    }
  }
  /**
   * The amount of data stored in the buffer waiting to be read.
   *
   * For Buffer strings, this will be the total byte length.
   * For string encoding streams, this will be the string character length,
   * according to JavaScript's `string.length` logic.
   * For objectMode streams, this is a count of the items waiting to be
   * emitted.
   */
  get bufferLength() {
    return this[BUFFERLENGTH];
  }
  /**
   * The `BufferEncoding` currently in use, or `null`
   */
  get encoding() {
    return this[ENCODING];
  }
  /**
   * @deprecated - This is a read only property
   */
  set encoding(_enc) {
    throw new Error("Encoding must be set at instantiation time");
  }
  /**
   * @deprecated - Encoding may only be set at instantiation time
   */
  setEncoding(_enc) {
    throw new Error("Encoding must be set at instantiation time");
  }
  /**
   * True if this is an objectMode stream
   */
  get objectMode() {
    return this[OBJECTMODE];
  }
  /**
   * @deprecated - This is a read-only property
   */
  set objectMode(_om) {
    throw new Error("objectMode must be set at instantiation time");
  }
  /**
   * true if this is an async stream
   */
  get ["async"]() {
    return this[ASYNC];
  }
  /**
   * Set to true to make this stream async.
   *
   * Once set, it cannot be unset, as this would potentially cause incorrect
   * behavior.  Ie, a sync stream can be made async, but an async stream
   * cannot be safely made sync.
   */
  set ["async"](a) {
    this[ASYNC] = this[ASYNC] || !!a;
  }
  // drop everything and get out of the flow completely
  [ABORT]() {
    this[ABORTED] = true;
    this.emit("abort", this[SIGNAL]?.reason);
    this.destroy(this[SIGNAL]?.reason);
  }
  /**
   * True if the stream has been aborted.
   */
  get aborted() {
    return this[ABORTED];
  }
  /**
   * No-op setter. Stream aborted status is set via the AbortSignal provided
   * in the constructor options.
   */
  set aborted(_) {
  }
  write(chunk, encoding, cb) {
    if (this[ABORTED])
      return false;
    if (this[EOF])
      throw new Error("write after end");
    if (this[DESTROYED]) {
      this.emit("error", Object.assign(new Error("Cannot call write after a stream was destroyed"), { code: "ERR_STREAM_DESTROYED" }));
      return true;
    }
    if (typeof encoding === "function") {
      cb = encoding;
      encoding = "utf8";
    }
    if (!encoding)
      encoding = "utf8";
    const fn = this[ASYNC] ? defer : nodefer;
    if (!this[OBJECTMODE] && !Buffer.isBuffer(chunk)) {
      if (isArrayBufferView(chunk)) {
        chunk = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      } else if (isArrayBufferLike(chunk)) {
        chunk = Buffer.from(chunk);
      } else if (typeof chunk !== "string") {
        throw new Error("Non-contiguous data written to non-objectMode stream");
      }
    }
    if (this[OBJECTMODE]) {
      if (this[FLOWING] && this[BUFFERLENGTH] !== 0)
        this[FLUSH](true);
      if (this[FLOWING])
        this.emit("data", chunk);
      else
        this[BUFFERPUSH](chunk);
      if (this[BUFFERLENGTH] !== 0)
        this.emit("readable");
      if (cb)
        fn(cb);
      return this[FLOWING];
    }
    if (!chunk.length) {
      if (this[BUFFERLENGTH] !== 0)
        this.emit("readable");
      if (cb)
        fn(cb);
      return this[FLOWING];
    }
    if (typeof chunk === "string" && // unless it is a string already ready for us to use
    !(encoding === this[ENCODING] && !this[DECODER]?.lastNeed)) {
      chunk = Buffer.from(chunk, encoding);
    }
    if (Buffer.isBuffer(chunk) && this[ENCODING]) {
      chunk = this[DECODER].write(chunk);
    }
    if (this[FLOWING] && this[BUFFERLENGTH] !== 0)
      this[FLUSH](true);
    if (this[FLOWING])
      this.emit("data", chunk);
    else
      this[BUFFERPUSH](chunk);
    if (this[BUFFERLENGTH] !== 0)
      this.emit("readable");
    if (cb)
      fn(cb);
    return this[FLOWING];
  }
  /**
   * Low-level explicit read method.
   *
   * In objectMode, the argument is ignored, and one item is returned if
   * available.
   *
   * `n` is the number of bytes (or in the case of encoding streams,
   * characters) to consume. If `n` is not provided, then the entire buffer
   * is returned, or `null` is returned if no data is available.
   *
   * If `n` is greater that the amount of data in the internal buffer,
   * then `null` is returned.
   */
  read(n) {
    if (this[DESTROYED])
      return null;
    this[DISCARDED] = false;
    if (this[BUFFERLENGTH] === 0 || n === 0 || n && n > this[BUFFERLENGTH]) {
      this[MAYBE_EMIT_END]();
      return null;
    }
    if (this[OBJECTMODE])
      n = null;
    if (this[BUFFER].length > 1 && !this[OBJECTMODE]) {
      this[BUFFER] = [
        this[ENCODING] ? this[BUFFER].join("") : Buffer.concat(this[BUFFER], this[BUFFERLENGTH])
      ];
    }
    const ret = this[READ2](n || null, this[BUFFER][0]);
    this[MAYBE_EMIT_END]();
    return ret;
  }
  [READ2](n, chunk) {
    if (this[OBJECTMODE])
      this[BUFFERSHIFT]();
    else {
      const c = chunk;
      if (n === c.length || n === null)
        this[BUFFERSHIFT]();
      else if (typeof c === "string") {
        this[BUFFER][0] = c.slice(n);
        chunk = c.slice(0, n);
        this[BUFFERLENGTH] -= n;
      } else {
        this[BUFFER][0] = c.subarray(n);
        chunk = c.subarray(0, n);
        this[BUFFERLENGTH] -= n;
      }
    }
    this.emit("data", chunk);
    if (!this[BUFFER].length && !this[EOF])
      this.emit("drain");
    return chunk;
  }
  end(chunk, encoding, cb) {
    if (typeof chunk === "function") {
      cb = chunk;
      chunk = void 0;
    }
    if (typeof encoding === "function") {
      cb = encoding;
      encoding = "utf8";
    }
    if (chunk !== void 0)
      this.write(chunk, encoding);
    if (cb)
      this.once("end", cb);
    this[EOF] = true;
    this.writable = false;
    if (this[FLOWING] || !this[PAUSED])
      this[MAYBE_EMIT_END]();
    return this;
  }
  // don't let the internal resume be overwritten
  [RESUME]() {
    if (this[DESTROYED])
      return;
    if (!this[DATALISTENERS] && !this[PIPES].length) {
      this[DISCARDED] = true;
    }
    this[PAUSED] = false;
    this[FLOWING] = true;
    this.emit("resume");
    if (this[BUFFER].length)
      this[FLUSH]();
    else if (this[EOF])
      this[MAYBE_EMIT_END]();
    else
      this.emit("drain");
  }
  /**
   * Resume the stream if it is currently in a paused state
   *
   * If called when there are no pipe destinations or `data` event listeners,
   * this will place the stream in a "discarded" state, where all data will
   * be thrown away. The discarded state is removed if a pipe destination or
   * data handler is added, if pause() is called, or if any synchronous or
   * asynchronous iteration is started.
   */
  resume() {
    return this[RESUME]();
  }
  /**
   * Pause the stream
   */
  pause() {
    this[FLOWING] = false;
    this[PAUSED] = true;
    this[DISCARDED] = false;
  }
  /**
   * true if the stream has been forcibly destroyed
   */
  get destroyed() {
    return this[DESTROYED];
  }
  /**
   * true if the stream is currently in a flowing state, meaning that
   * any writes will be immediately emitted.
   */
  get flowing() {
    return this[FLOWING];
  }
  /**
   * true if the stream is currently in a paused state
   */
  get paused() {
    return this[PAUSED];
  }
  [BUFFERPUSH](chunk) {
    if (this[OBJECTMODE])
      this[BUFFERLENGTH] += 1;
    else
      this[BUFFERLENGTH] += chunk.length;
    this[BUFFER].push(chunk);
  }
  [BUFFERSHIFT]() {
    if (this[OBJECTMODE])
      this[BUFFERLENGTH] -= 1;
    else
      this[BUFFERLENGTH] -= this[BUFFER][0].length;
    return this[BUFFER].shift();
  }
  [FLUSH](noDrain = false) {
    do {
    } while (this[FLUSHCHUNK](this[BUFFERSHIFT]()) && this[BUFFER].length);
    if (!noDrain && !this[BUFFER].length && !this[EOF])
      this.emit("drain");
  }
  [FLUSHCHUNK](chunk) {
    this.emit("data", chunk);
    return this[FLOWING];
  }
  /**
   * Pipe all data emitted by this stream into the destination provided.
   *
   * Triggers the flow of data.
   */
  pipe(dest, opts) {
    if (this[DESTROYED])
      return dest;
    this[DISCARDED] = false;
    const ended = this[EMITTED_END];
    opts = opts || {};
    if (dest === proc.stdout || dest === proc.stderr)
      opts.end = false;
    else
      opts.end = opts.end !== false;
    opts.proxyErrors = !!opts.proxyErrors;
    if (ended) {
      if (opts.end)
        dest.end();
    } else {
      this[PIPES].push(!opts.proxyErrors ? new Pipe(this, dest, opts) : new PipeProxyErrors(this, dest, opts));
      if (this[ASYNC])
        defer(() => this[RESUME]());
      else
        this[RESUME]();
    }
    return dest;
  }
  /**
   * Fully unhook a piped destination stream.
   *
   * If the destination stream was the only consumer of this stream (ie,
   * there are no other piped destinations or `'data'` event listeners)
   * then the flow of data will stop until there is another consumer or
   * {@link Minipass#resume} is explicitly called.
   */
  unpipe(dest) {
    const p = this[PIPES].find((p2) => p2.dest === dest);
    if (p) {
      if (this[PIPES].length === 1) {
        if (this[FLOWING] && this[DATALISTENERS] === 0) {
          this[FLOWING] = false;
        }
        this[PIPES] = [];
      } else
        this[PIPES].splice(this[PIPES].indexOf(p), 1);
      p.unpipe();
    }
  }
  /**
   * Alias for {@link Minipass#on}
   */
  addListener(ev, handler) {
    return this.on(ev, handler);
  }
  /**
   * Mostly identical to `EventEmitter.on`, with the following
   * behavior differences to prevent data loss and unnecessary hangs:
   *
   * - Adding a 'data' event handler will trigger the flow of data
   *
   * - Adding a 'readable' event handler when there is data waiting to be read
   *   will cause 'readable' to be emitted immediately.
   *
   * - Adding an 'endish' event handler ('end', 'finish', etc.) which has
   *   already passed will cause the event to be emitted immediately and all
   *   handlers removed.
   *
   * - Adding an 'error' event handler after an error has been emitted will
   *   cause the event to be re-emitted immediately with the error previously
   *   raised.
   */
  on(ev, handler) {
    const ret = super.on(ev, handler);
    if (ev === "data") {
      this[DISCARDED] = false;
      this[DATALISTENERS]++;
      if (!this[PIPES].length && !this[FLOWING]) {
        this[RESUME]();
      }
    } else if (ev === "readable" && this[BUFFERLENGTH] !== 0) {
      super.emit("readable");
    } else if (isEndish(ev) && this[EMITTED_END]) {
      super.emit(ev);
      this.removeAllListeners(ev);
    } else if (ev === "error" && this[EMITTED_ERROR]) {
      const h = handler;
      if (this[ASYNC])
        defer(() => h.call(this, this[EMITTED_ERROR]));
      else
        h.call(this, this[EMITTED_ERROR]);
    }
    return ret;
  }
  /**
   * Alias for {@link Minipass#off}
   */
  removeListener(ev, handler) {
    return this.off(ev, handler);
  }
  /**
   * Mostly identical to `EventEmitter.off`
   *
   * If a 'data' event handler is removed, and it was the last consumer
   * (ie, there are no pipe destinations or other 'data' event listeners),
   * then the flow of data will stop until there is another consumer or
   * {@link Minipass#resume} is explicitly called.
   */
  off(ev, handler) {
    const ret = super.off(ev, handler);
    if (ev === "data") {
      this[DATALISTENERS] = this.listeners("data").length;
      if (this[DATALISTENERS] === 0 && !this[DISCARDED] && !this[PIPES].length) {
        this[FLOWING] = false;
      }
    }
    return ret;
  }
  /**
   * Mostly identical to `EventEmitter.removeAllListeners`
   *
   * If all 'data' event handlers are removed, and they were the last consumer
   * (ie, there are no pipe destinations), then the flow of data will stop
   * until there is another consumer or {@link Minipass#resume} is explicitly
   * called.
   */
  removeAllListeners(ev) {
    const ret = super.removeAllListeners(ev);
    if (ev === "data" || ev === void 0) {
      this[DATALISTENERS] = 0;
      if (!this[DISCARDED] && !this[PIPES].length) {
        this[FLOWING] = false;
      }
    }
    return ret;
  }
  /**
   * true if the 'end' event has been emitted
   */
  get emittedEnd() {
    return this[EMITTED_END];
  }
  [MAYBE_EMIT_END]() {
    if (!this[EMITTING_END] && !this[EMITTED_END] && !this[DESTROYED] && this[BUFFER].length === 0 && this[EOF]) {
      this[EMITTING_END] = true;
      this.emit("end");
      this.emit("prefinish");
      this.emit("finish");
      if (this[CLOSED])
        this.emit("close");
      this[EMITTING_END] = false;
    }
  }
  /**
   * Mostly identical to `EventEmitter.emit`, with the following
   * behavior differences to prevent data loss and unnecessary hangs:
   *
   * If the stream has been destroyed, and the event is something other
   * than 'close' or 'error', then `false` is returned and no handlers
   * are called.
   *
   * If the event is 'end', and has already been emitted, then the event
   * is ignored. If the stream is in a paused or non-flowing state, then
   * the event will be deferred until data flow resumes. If the stream is
   * async, then handlers will be called on the next tick rather than
   * immediately.
   *
   * If the event is 'close', and 'end' has not yet been emitted, then
   * the event will be deferred until after 'end' is emitted.
   *
   * If the event is 'error', and an AbortSignal was provided for the stream,
   * and there are no listeners, then the event is ignored, matching the
   * behavior of node core streams in the presense of an AbortSignal.
   *
   * If the event is 'finish' or 'prefinish', then all listeners will be
   * removed after emitting the event, to prevent double-firing.
   */
  emit(ev, ...args) {
    const data = args[0];
    if (ev !== "error" && ev !== "close" && ev !== DESTROYED && this[DESTROYED]) {
      return false;
    } else if (ev === "data") {
      return !this[OBJECTMODE] && !data ? false : this[ASYNC] ? (defer(() => this[EMITDATA](data)), true) : this[EMITDATA](data);
    } else if (ev === "end") {
      return this[EMITEND]();
    } else if (ev === "close") {
      this[CLOSED] = true;
      if (!this[EMITTED_END] && !this[DESTROYED])
        return false;
      const ret2 = super.emit("close");
      this.removeAllListeners("close");
      return ret2;
    } else if (ev === "error") {
      this[EMITTED_ERROR] = data;
      super.emit(ERROR, data);
      const ret2 = !this[SIGNAL] || this.listeners("error").length ? super.emit("error", data) : false;
      this[MAYBE_EMIT_END]();
      return ret2;
    } else if (ev === "resume") {
      const ret2 = super.emit("resume");
      this[MAYBE_EMIT_END]();
      return ret2;
    } else if (ev === "finish" || ev === "prefinish") {
      const ret2 = super.emit(ev);
      this.removeAllListeners(ev);
      return ret2;
    }
    const ret = super.emit(ev, ...args);
    this[MAYBE_EMIT_END]();
    return ret;
  }
  [EMITDATA](data) {
    for (const p of this[PIPES]) {
      if (p.dest.write(data) === false)
        this.pause();
    }
    const ret = this[DISCARDED] ? false : super.emit("data", data);
    this[MAYBE_EMIT_END]();
    return ret;
  }
  [EMITEND]() {
    if (this[EMITTED_END])
      return false;
    this[EMITTED_END] = true;
    this.readable = false;
    return this[ASYNC] ? (defer(() => this[EMITEND2]()), true) : this[EMITEND2]();
  }
  [EMITEND2]() {
    if (this[DECODER]) {
      const data = this[DECODER].end();
      if (data) {
        for (const p of this[PIPES]) {
          p.dest.write(data);
        }
        if (!this[DISCARDED])
          super.emit("data", data);
      }
    }
    for (const p of this[PIPES]) {
      p.end();
    }
    const ret = super.emit("end");
    this.removeAllListeners("end");
    return ret;
  }
  /**
   * Return a Promise that resolves to an array of all emitted data once
   * the stream ends.
   */
  async collect() {
    const buf = Object.assign([], {
      dataLength: 0
    });
    if (!this[OBJECTMODE])
      buf.dataLength = 0;
    const p = this.promise();
    this.on("data", (c) => {
      buf.push(c);
      if (!this[OBJECTMODE])
        buf.dataLength += c.length;
    });
    await p;
    return buf;
  }
  /**
   * Return a Promise that resolves to the concatenation of all emitted data
   * once the stream ends.
   *
   * Not allowed on objectMode streams.
   */
  async concat() {
    if (this[OBJECTMODE]) {
      throw new Error("cannot concat in objectMode");
    }
    const buf = await this.collect();
    return this[ENCODING] ? buf.join("") : Buffer.concat(buf, buf.dataLength);
  }
  /**
   * Return a void Promise that resolves once the stream ends.
   */
  async promise() {
    return new Promise((resolve, reject) => {
      this.on(DESTROYED, () => reject(new Error("stream destroyed")));
      this.on("error", (er) => reject(er));
      this.on("end", () => resolve());
    });
  }
  /**
   * Asynchronous `for await of` iteration.
   *
   * This will continue emitting all chunks until the stream terminates.
   */
  [Symbol.asyncIterator]() {
    this[DISCARDED] = false;
    let stopped = false;
    const stop = async () => {
      this.pause();
      stopped = true;
      return { value: void 0, done: true };
    };
    const next2 = () => {
      if (stopped)
        return stop();
      const res = this.read();
      if (res !== null)
        return Promise.resolve({ done: false, value: res });
      if (this[EOF])
        return stop();
      let resolve;
      let reject;
      const onerr = (er) => {
        this.off("data", ondata);
        this.off("end", onend);
        this.off(DESTROYED, ondestroy);
        stop();
        reject(er);
      };
      const ondata = (value) => {
        this.off("error", onerr);
        this.off("end", onend);
        this.off(DESTROYED, ondestroy);
        this.pause();
        resolve({ value, done: !!this[EOF] });
      };
      const onend = () => {
        this.off("error", onerr);
        this.off("data", ondata);
        this.off(DESTROYED, ondestroy);
        stop();
        resolve({ done: true, value: void 0 });
      };
      const ondestroy = () => onerr(new Error("stream destroyed"));
      return new Promise((res2, rej) => {
        reject = rej;
        resolve = res2;
        this.once(DESTROYED, ondestroy);
        this.once("error", onerr);
        this.once("end", onend);
        this.once("data", ondata);
      });
    };
    return {
      next: next2,
      throw: stop,
      return: stop,
      [Symbol.asyncIterator]() {
        return this;
      },
      [Symbol.asyncDispose]: async () => {
      }
    };
  }
  /**
   * Synchronous `for of` iteration.
   *
   * The iteration will terminate when the internal buffer runs out, even
   * if the stream has not yet terminated.
   */
  [Symbol.iterator]() {
    this[DISCARDED] = false;
    let stopped = false;
    const stop = () => {
      this.pause();
      this.off(ERROR, stop);
      this.off(DESTROYED, stop);
      this.off("end", stop);
      stopped = true;
      return { done: true, value: void 0 };
    };
    const next2 = () => {
      if (stopped)
        return stop();
      const value = this.read();
      return value === null ? stop() : { done: false, value };
    };
    this.once("end", stop);
    this.once(ERROR, stop);
    this.once(DESTROYED, stop);
    return {
      next: next2,
      throw: stop,
      return: stop,
      [Symbol.iterator]() {
        return this;
      },
      [Symbol.dispose]: () => {
      }
    };
  }
  /**
   * Destroy a stream, preventing it from being used for any further purpose.
   *
   * If the stream has a `close()` method, then it will be called on
   * destruction.
   *
   * After destruction, any attempt to write data, read data, or emit most
   * events will be ignored.
   *
   * If an error argument is provided, then it will be emitted in an
   * 'error' event.
   */
  destroy(er) {
    if (this[DESTROYED]) {
      if (er)
        this.emit("error", er);
      else
        this.emit(DESTROYED);
      return this;
    }
    this[DESTROYED] = true;
    this[DISCARDED] = true;
    this[BUFFER].length = 0;
    this[BUFFERLENGTH] = 0;
    const wc = this;
    if (typeof wc.close === "function" && !this[CLOSED])
      wc.close();
    if (er)
      this.emit("error", er);
    else
      this.emit(DESTROYED);
    return this;
  }
  /**
   * Alias for {@link isStream}
   *
   * Former export location, maintained for backwards compatibility.
   *
   * @deprecated
   */
  static get isStream() {
    return isStream;
  }
};

// node_modules/minizlib/dist/esm/index.js
import * as realZlib2 from "zlib";

// node_modules/minizlib/dist/esm/constants.js
import realZlib from "zlib";
var realZlibConstants = realZlib.constants || { ZLIB_VERNUM: 4736 };
var constants = Object.freeze(Object.assign(/* @__PURE__ */ Object.create(null), {
  Z_NO_FLUSH: 0,
  Z_PARTIAL_FLUSH: 1,
  Z_SYNC_FLUSH: 2,
  Z_FULL_FLUSH: 3,
  Z_FINISH: 4,
  Z_BLOCK: 5,
  Z_OK: 0,
  Z_STREAM_END: 1,
  Z_NEED_DICT: 2,
  Z_ERRNO: -1,
  Z_STREAM_ERROR: -2,
  Z_DATA_ERROR: -3,
  Z_MEM_ERROR: -4,
  Z_BUF_ERROR: -5,
  Z_VERSION_ERROR: -6,
  Z_NO_COMPRESSION: 0,
  Z_BEST_SPEED: 1,
  Z_BEST_COMPRESSION: 9,
  Z_DEFAULT_COMPRESSION: -1,
  Z_FILTERED: 1,
  Z_HUFFMAN_ONLY: 2,
  Z_RLE: 3,
  Z_FIXED: 4,
  Z_DEFAULT_STRATEGY: 0,
  DEFLATE: 1,
  INFLATE: 2,
  GZIP: 3,
  GUNZIP: 4,
  DEFLATERAW: 5,
  INFLATERAW: 6,
  UNZIP: 7,
  BROTLI_DECODE: 8,
  BROTLI_ENCODE: 9,
  Z_MIN_WINDOWBITS: 8,
  Z_MAX_WINDOWBITS: 15,
  Z_DEFAULT_WINDOWBITS: 15,
  Z_MIN_CHUNK: 64,
  Z_MAX_CHUNK: Infinity,
  Z_DEFAULT_CHUNK: 16384,
  Z_MIN_MEMLEVEL: 1,
  Z_MAX_MEMLEVEL: 9,
  Z_DEFAULT_MEMLEVEL: 8,
  Z_MIN_LEVEL: -1,
  Z_MAX_LEVEL: 9,
  Z_DEFAULT_LEVEL: -1,
  BROTLI_OPERATION_PROCESS: 0,
  BROTLI_OPERATION_FLUSH: 1,
  BROTLI_OPERATION_FINISH: 2,
  BROTLI_OPERATION_EMIT_METADATA: 3,
  BROTLI_MODE_GENERIC: 0,
  BROTLI_MODE_TEXT: 1,
  BROTLI_MODE_FONT: 2,
  BROTLI_DEFAULT_MODE: 0,
  BROTLI_MIN_QUALITY: 0,
  BROTLI_MAX_QUALITY: 11,
  BROTLI_DEFAULT_QUALITY: 11,
  BROTLI_MIN_WINDOW_BITS: 10,
  BROTLI_MAX_WINDOW_BITS: 24,
  BROTLI_LARGE_MAX_WINDOW_BITS: 30,
  BROTLI_DEFAULT_WINDOW: 22,
  BROTLI_MIN_INPUT_BLOCK_BITS: 16,
  BROTLI_MAX_INPUT_BLOCK_BITS: 24,
  BROTLI_PARAM_MODE: 0,
  BROTLI_PARAM_QUALITY: 1,
  BROTLI_PARAM_LGWIN: 2,
  BROTLI_PARAM_LGBLOCK: 3,
  BROTLI_PARAM_DISABLE_LITERAL_CONTEXT_MODELING: 4,
  BROTLI_PARAM_SIZE_HINT: 5,
  BROTLI_PARAM_LARGE_WINDOW: 6,
  BROTLI_PARAM_NPOSTFIX: 7,
  BROTLI_PARAM_NDIRECT: 8,
  BROTLI_DECODER_RESULT_ERROR: 0,
  BROTLI_DECODER_RESULT_SUCCESS: 1,
  BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT: 2,
  BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT: 3,
  BROTLI_DECODER_PARAM_DISABLE_RING_BUFFER_REALLOCATION: 0,
  BROTLI_DECODER_PARAM_LARGE_WINDOW: 1,
  BROTLI_DECODER_NO_ERROR: 0,
  BROTLI_DECODER_SUCCESS: 1,
  BROTLI_DECODER_NEEDS_MORE_INPUT: 2,
  BROTLI_DECODER_NEEDS_MORE_OUTPUT: 3,
  BROTLI_DECODER_ERROR_FORMAT_EXUBERANT_NIBBLE: -1,
  BROTLI_DECODER_ERROR_FORMAT_RESERVED: -2,
  BROTLI_DECODER_ERROR_FORMAT_EXUBERANT_META_NIBBLE: -3,
  BROTLI_DECODER_ERROR_FORMAT_SIMPLE_HUFFMAN_ALPHABET: -4,
  BROTLI_DECODER_ERROR_FORMAT_SIMPLE_HUFFMAN_SAME: -5,
  BROTLI_DECODER_ERROR_FORMAT_CL_SPACE: -6,
  BROTLI_DECODER_ERROR_FORMAT_HUFFMAN_SPACE: -7,
  BROTLI_DECODER_ERROR_FORMAT_CONTEXT_MAP_REPEAT: -8,
  BROTLI_DECODER_ERROR_FORMAT_BLOCK_LENGTH_1: -9,
  BROTLI_DECODER_ERROR_FORMAT_BLOCK_LENGTH_2: -10,
  BROTLI_DECODER_ERROR_FORMAT_TRANSFORM: -11,
  BROTLI_DECODER_ERROR_FORMAT_DICTIONARY: -12,
  BROTLI_DECODER_ERROR_FORMAT_WINDOW_BITS: -13,
  BROTLI_DECODER_ERROR_FORMAT_PADDING_1: -14,
  BROTLI_DECODER_ERROR_FORMAT_PADDING_2: -15,
  BROTLI_DECODER_ERROR_FORMAT_DISTANCE: -16,
  BROTLI_DECODER_ERROR_DICTIONARY_NOT_SET: -19,
  BROTLI_DECODER_ERROR_INVALID_ARGUMENTS: -20,
  BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES: -21,
  BROTLI_DECODER_ERROR_ALLOC_TREE_GROUPS: -22,
  BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MAP: -25,
  BROTLI_DECODER_ERROR_ALLOC_RING_BUFFER_1: -26,
  BROTLI_DECODER_ERROR_ALLOC_RING_BUFFER_2: -27,
  BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES: -30,
  BROTLI_DECODER_ERROR_UNREACHABLE: -31
}, realZlibConstants));

// node_modules/minizlib/dist/esm/index.js
var OriginalBufferConcat = Buffer2.concat;
var desc = Object.getOwnPropertyDescriptor(Buffer2, "concat");
var noop = (args) => args;
var passthroughBufferConcat = desc?.writable === true || desc?.set !== void 0 ? (makeNoOp) => {
  Buffer2.concat = makeNoOp ? noop : OriginalBufferConcat;
} : (_) => {
};
var _superWrite = /* @__PURE__ */ Symbol("_superWrite");
var ZlibError = class extends Error {
  code;
  errno;
  constructor(err, origin) {
    super("zlib: " + err.message, { cause: err });
    this.code = err.code;
    this.errno = err.errno;
    if (!this.code)
      this.code = "ZLIB_ERROR";
    this.message = "zlib: " + err.message;
    Error.captureStackTrace(this, origin ?? this.constructor);
  }
  get name() {
    return "ZlibError";
  }
};
var _flushFlag = /* @__PURE__ */ Symbol("flushFlag");
var ZlibBase = class extends Minipass {
  #sawError = false;
  #ended = false;
  #flushFlag;
  #finishFlushFlag;
  #fullFlushFlag;
  #handle;
  #onError;
  get sawError() {
    return this.#sawError;
  }
  get handle() {
    return this.#handle;
  }
  /* c8 ignore start */
  get flushFlag() {
    return this.#flushFlag;
  }
  /* c8 ignore stop */
  constructor(opts, mode) {
    if (!opts || typeof opts !== "object")
      throw new TypeError("invalid options for ZlibBase constructor");
    super(opts);
    this.#flushFlag = opts.flush ?? 0;
    this.#finishFlushFlag = opts.finishFlush ?? 0;
    this.#fullFlushFlag = opts.fullFlushFlag ?? 0;
    if (typeof realZlib2[mode] !== "function") {
      throw new TypeError("Compression method not supported: " + mode);
    }
    try {
      this.#handle = new realZlib2[mode](opts);
    } catch (er) {
      throw new ZlibError(er, this.constructor);
    }
    this.#onError = (err) => {
      if (this.#sawError)
        return;
      this.#sawError = true;
      this.close();
      this.emit("error", err);
    };
    this.#handle?.on("error", (er) => this.#onError(new ZlibError(er)));
    this.once("end", () => this.close);
  }
  close() {
    if (this.#handle) {
      this.#handle.close();
      this.#handle = void 0;
      this.emit("close");
    }
  }
  reset() {
    if (!this.#sawError) {
      assert2(this.#handle, "zlib binding closed");
      return this.#handle.reset?.();
    }
  }
  flush(flushFlag) {
    if (this.ended)
      return;
    if (typeof flushFlag !== "number")
      flushFlag = this.#fullFlushFlag;
    this.write(Object.assign(Buffer2.alloc(0), { [_flushFlag]: flushFlag }));
  }
  end(chunk, encoding, cb) {
    if (typeof chunk === "function") {
      cb = chunk;
      encoding = void 0;
      chunk = void 0;
    }
    if (typeof encoding === "function") {
      cb = encoding;
      encoding = void 0;
    }
    if (chunk) {
      if (encoding)
        this.write(chunk, encoding);
      else
        this.write(chunk);
    }
    this.flush(this.#finishFlushFlag);
    this.#ended = true;
    return super.end(cb);
  }
  get ended() {
    return this.#ended;
  }
  // overridden in the gzip classes to do portable writes
  [_superWrite](data) {
    return super.write(data);
  }
  write(chunk, encoding, cb) {
    if (typeof encoding === "function")
      cb = encoding, encoding = "utf8";
    if (typeof chunk === "string")
      chunk = Buffer2.from(chunk, encoding);
    if (this.#sawError)
      return;
    assert2(this.#handle, "zlib binding closed");
    const nativeHandle = this.#handle._handle;
    const originalNativeClose = nativeHandle.close;
    nativeHandle.close = () => {
    };
    const originalClose = this.#handle.close;
    this.#handle.close = () => {
    };
    passthroughBufferConcat(true);
    let result = void 0;
    try {
      const flushFlag = typeof chunk[_flushFlag] === "number" ? chunk[_flushFlag] : this.#flushFlag;
      result = this.#handle._processChunk(chunk, flushFlag);
      passthroughBufferConcat(false);
    } catch (err) {
      passthroughBufferConcat(false);
      this.#onError(new ZlibError(err, this.write));
    } finally {
      if (this.#handle) {
        ;
        this.#handle._handle = nativeHandle;
        nativeHandle.close = originalNativeClose;
        this.#handle.close = originalClose;
        this.#handle.removeAllListeners("error");
      }
    }
    if (this.#handle)
      this.#handle.on("error", (er) => this.#onError(new ZlibError(er, this.write)));
    let writeReturn;
    if (result) {
      if (Array.isArray(result) && result.length > 0) {
        const r = result[0];
        writeReturn = this[_superWrite](Buffer2.from(r));
        for (let i = 1; i < result.length; i++) {
          writeReturn = this[_superWrite](result[i]);
        }
      } else {
        writeReturn = this[_superWrite](Buffer2.from(result));
      }
    }
    if (cb)
      cb();
    return writeReturn;
  }
};
var Zlib = class extends ZlibBase {
  #level;
  #strategy;
  constructor(opts, mode) {
    opts = opts || {};
    opts.flush = opts.flush || constants.Z_NO_FLUSH;
    opts.finishFlush = opts.finishFlush || constants.Z_FINISH;
    opts.fullFlushFlag = constants.Z_FULL_FLUSH;
    super(opts, mode);
    this.#level = opts.level;
    this.#strategy = opts.strategy;
  }
  params(level, strategy) {
    if (this.sawError)
      return;
    if (!this.handle)
      throw new Error("cannot switch params when binding is closed");
    if (!this.handle.params)
      throw new Error("not supported in this implementation");
    if (this.#level !== level || this.#strategy !== strategy) {
      this.flush(constants.Z_SYNC_FLUSH);
      assert2(this.handle, "zlib binding closed");
      const origFlush = this.handle.flush;
      this.handle.flush = (flushFlag, cb) => {
        if (typeof flushFlag === "function") {
          cb = flushFlag;
          flushFlag = this.flushFlag;
        }
        this.flush(flushFlag);
        cb?.();
      };
      try {
        ;
        this.handle.params(level, strategy);
      } finally {
        this.handle.flush = origFlush;
      }
      if (this.handle) {
        this.#level = level;
        this.#strategy = strategy;
      }
    }
  }
};
var Gzip = class extends Zlib {
  #portable;
  constructor(opts) {
    super(opts, "Gzip");
    this.#portable = opts && !!opts.portable;
  }
  [_superWrite](data) {
    if (!this.#portable)
      return super[_superWrite](data);
    this.#portable = false;
    data[9] = 255;
    return super[_superWrite](data);
  }
};
var Unzip = class extends Zlib {
  constructor(opts) {
    super(opts, "Unzip");
  }
};
var Brotli = class extends ZlibBase {
  constructor(opts, mode) {
    opts = opts || {};
    opts.flush = opts.flush || constants.BROTLI_OPERATION_PROCESS;
    opts.finishFlush = opts.finishFlush || constants.BROTLI_OPERATION_FINISH;
    opts.fullFlushFlag = constants.BROTLI_OPERATION_FLUSH;
    super(opts, mode);
  }
};
var BrotliDecompress = class extends Brotli {
  constructor(opts) {
    super(opts, "BrotliDecompress");
  }
};
var Zstd = class extends ZlibBase {
  constructor(opts, mode) {
    opts = opts || {};
    opts.flush = opts.flush || constants.ZSTD_e_continue;
    opts.finishFlush = opts.finishFlush || constants.ZSTD_e_end;
    opts.fullFlushFlag = constants.ZSTD_e_flush;
    super(opts, mode);
  }
};
var ZstdDecompress = class extends Zstd {
  constructor(opts) {
    super(opts, "ZstdDecompress");
  }
};

// node_modules/tar/dist/esm/header.js
import { posix as pathModule } from "node:path";

// node_modules/tar/dist/esm/large-numbers.js
var encode2 = (num, buf) => {
  if (!Number.isSafeInteger(num)) {
    throw Error("cannot encode number outside of javascript safe integer range");
  } else if (num < 0) {
    encodeNegative(num, buf);
  } else {
    encodePositive(num, buf);
  }
  return buf;
};
var encodePositive = (num, buf) => {
  buf[0] = 128;
  for (var i = buf.length; i > 1; i--) {
    buf[i - 1] = num & 255;
    num = Math.floor(num / 256);
  }
};
var encodeNegative = (num, buf) => {
  buf[0] = 255;
  var flipped = false;
  num = num * -1;
  for (var i = buf.length; i > 1; i--) {
    var byte = num & 255;
    num = Math.floor(num / 256);
    if (flipped) {
      buf[i - 1] = onesComp(byte);
    } else if (byte === 0) {
      buf[i - 1] = 0;
    } else {
      flipped = true;
      buf[i - 1] = twosComp(byte);
    }
  }
};
var parse5 = (buf) => {
  const pre = buf[0];
  const value = pre === 128 ? pos(buf.subarray(1, buf.length)) : pre === 255 ? twos(buf) : null;
  if (value === null) {
    throw Error("invalid base256 encoding");
  }
  if (!Number.isSafeInteger(value)) {
    throw Error("parsed number outside of javascript safe integer range");
  }
  return value;
};
var twos = (buf) => {
  var len = buf.length;
  var sum = 0;
  var flipped = false;
  for (var i = len - 1; i > -1; i--) {
    var byte = Number(buf[i]);
    var f;
    if (flipped) {
      f = onesComp(byte);
    } else if (byte === 0) {
      f = byte;
    } else {
      flipped = true;
      f = twosComp(byte);
    }
    if (f !== 0) {
      sum -= f * Math.pow(256, len - i - 1);
    }
  }
  return sum;
};
var pos = (buf) => {
  var len = buf.length;
  var sum = 0;
  for (var i = len - 1; i > -1; i--) {
    var byte = Number(buf[i]);
    if (byte !== 0) {
      sum += byte * Math.pow(256, len - i - 1);
    }
  }
  return sum;
};
var onesComp = (byte) => (255 ^ byte) & 255;
var twosComp = (byte) => (255 ^ byte) + 1 & 255;

// node_modules/tar/dist/esm/types.js
var isCode = (c) => name3.has(c);
var normalFsTypes = /* @__PURE__ */ new Set([
  "0",
  "",
  "1",
  "2",
  "3",
  "4",
  "5",
  "6",
  "7",
  "D"
]);
var name3 = /* @__PURE__ */ new Map([
  ["0", "File"],
  // same as File
  ["", "OldFile"],
  ["1", "Link"],
  ["2", "SymbolicLink"],
  // Devices and FIFOs aren't fully supported
  // they are parsed, but skipped when unpacking
  ["3", "CharacterDevice"],
  ["4", "BlockDevice"],
  ["5", "Directory"],
  ["6", "FIFO"],
  // same as File
  ["7", "ContiguousFile"],
  // pax headers
  ["g", "GlobalExtendedHeader"],
  ["x", "ExtendedHeader"],
  // vendor-specific stuff
  // skip
  ["A", "SolarisACL"],
  // like 5, but with data, which should be skipped
  ["D", "GNUDumpDir"],
  // metadata only, skip
  ["I", "Inode"],
  // data = link path of next file
  ["K", "NextFileHasLongLinkpath"],
  // data = path of next file
  ["L", "NextFileHasLongPath"],
  // skip
  ["M", "ContinuationFile"],
  // like L
  ["N", "OldGnuLongPath"],
  // skip
  ["S", "SparseFile"],
  // skip
  ["V", "TapeVolumeHeader"],
  // like x
  ["X", "OldExtendedHeader"]
]);
var code2 = new Map(Array.from(name3).map((kv) => [kv[1], kv[0]]));

// node_modules/tar/dist/esm/header.js
var notNegative = (n) => n === void 0 || n < 0 ? void 0 : n;
var Header = class {
  cksumValid = false;
  needPax = false;
  nullBlock = false;
  block;
  path;
  mode;
  uid;
  gid;
  size;
  cksum;
  #type = "Unsupported";
  linkpath;
  uname;
  gname;
  devmaj = 0;
  devmin = 0;
  atime;
  ctime;
  mtime;
  charset;
  comment;
  constructor(data, off = 0, ex, gex) {
    if (Buffer.isBuffer(data)) {
      this.decode(data, off || 0, ex, gex);
    } else if (data) {
      this.#slurp(data);
    }
  }
  decode(buf, off, ex, gex) {
    if (!off) {
      off = 0;
    }
    if (!buf || !(buf.length >= off + 512)) {
      throw new Error("need 512 bytes for header");
    }
    const t = decString(buf, off + 156, 1);
    const isNormalFS = normalFsTypes.has(t);
    const exForFields = isNormalFS ? ex : void 0;
    const gexForFields = isNormalFS ? gex : void 0;
    this.path = exForFields?.path ?? decString(buf, off, 100);
    this.mode = exForFields?.mode ?? gexForFields?.mode ?? decNumber(buf, off + 100, 8);
    this.uid = exForFields?.uid ?? gexForFields?.uid ?? decNumber(buf, off + 108, 8);
    this.gid = exForFields?.gid ?? gexForFields?.gid ?? decNumber(buf, off + 116, 8);
    this.size = notNegative(exForFields?.size ?? gexForFields?.size ?? decNumber(buf, off + 124, 12));
    this.mtime = exForFields?.mtime ?? gexForFields?.mtime ?? decDate(buf, off + 136, 12);
    this.cksum = decNumber(buf, off + 148, 12);
    if (gexForFields)
      this.#slurp(gexForFields, true);
    if (exForFields)
      this.#slurp(exForFields);
    if (isCode(t)) {
      this.#type = t || "0";
    }
    if (this.#type === "0" && this.path.slice(-1) === "/") {
      this.#type = "5";
    }
    if (this.#type === "5") {
      this.size = 0;
    }
    this.linkpath = decString(buf, off + 157, 100);
    if (buf.subarray(off + 257, off + 265).toString() === "ustar\x0000") {
      this.uname = exForFields?.uname ?? gexForFields?.uname ?? decString(buf, off + 265, 32);
      this.gname = exForFields?.gname ?? gexForFields?.gname ?? decString(buf, off + 297, 32);
      this.devmaj = exForFields?.devmaj ?? gexForFields?.devmaj ?? decNumber(buf, off + 329, 8) ?? 0;
      this.devmin = exForFields?.devmin ?? gexForFields?.devmin ?? decNumber(buf, off + 337, 8) ?? 0;
      if (buf[off + 475] !== 0) {
        const prefix = decString(buf, off + 345, 155);
        this.path = prefix + "/" + this.path;
      } else {
        const prefix = decString(buf, off + 345, 130);
        if (prefix) {
          this.path = prefix + "/" + this.path;
        }
        this.atime = ex?.atime ?? gex?.atime ?? decDate(buf, off + 476, 12);
        this.ctime = ex?.ctime ?? gex?.ctime ?? decDate(buf, off + 488, 12);
      }
    }
    let sum = 8 * 32;
    for (let i = off; i < off + 148; i++) {
      sum += buf[i];
    }
    for (let i = off + 156; i < off + 512; i++) {
      sum += buf[i];
    }
    this.cksumValid = sum === this.cksum;
    if (this.cksum === void 0 && sum === 8 * 32) {
      this.nullBlock = true;
    }
  }
  #slurp(ex, gex = false) {
    Object.assign(this, Object.fromEntries(Object.entries(ex).filter(([k, v]) => {
      return !(v === null || v === void 0 || k === "size" && Number(v) < 0 || k === "path" && gex || k === "linkpath" && gex || k === "global");
    })));
  }
  encode(buf, off = 0) {
    if (!buf) {
      buf = this.block = Buffer.alloc(512);
    }
    if (this.#type === "Unsupported") {
      this.#type = "0";
    }
    if (!(buf.length >= off + 512)) {
      throw new Error("need 512 bytes for header");
    }
    const prefixSize = this.ctime || this.atime ? 130 : 155;
    const split = splitPrefix(this.path || "", prefixSize);
    const path = split[0];
    const prefix = split[1];
    this.needPax = !!split[2];
    this.needPax = encString(buf, off, 100, path) || this.needPax;
    this.needPax = encNumber(buf, off + 100, 8, this.mode) || this.needPax;
    this.needPax = encNumber(buf, off + 108, 8, this.uid) || this.needPax;
    this.needPax = encNumber(buf, off + 116, 8, this.gid) || this.needPax;
    this.needPax = encNumber(buf, off + 124, 12, this.size) || this.needPax;
    this.needPax = encDate(buf, off + 136, 12, this.mtime) || this.needPax;
    buf[off + 156] = Number(this.#type.codePointAt(0));
    this.needPax = encString(buf, off + 157, 100, this.linkpath) || this.needPax;
    buf.write("ustar\x0000", off + 257, 8);
    this.needPax = encString(buf, off + 265, 32, this.uname) || this.needPax;
    this.needPax = encString(buf, off + 297, 32, this.gname) || this.needPax;
    this.needPax = encNumber(buf, off + 329, 8, this.devmaj) || this.needPax;
    this.needPax = encNumber(buf, off + 337, 8, this.devmin) || this.needPax;
    this.needPax = encString(buf, off + 345, prefixSize, prefix) || this.needPax;
    if (buf[off + 475] !== 0) {
      this.needPax = encString(buf, off + 345, 155, prefix) || this.needPax;
    } else {
      this.needPax = encString(buf, off + 345, 130, prefix) || this.needPax;
      this.needPax = encDate(buf, off + 476, 12, this.atime) || this.needPax;
      this.needPax = encDate(buf, off + 488, 12, this.ctime) || this.needPax;
    }
    let sum = 8 * 32;
    for (let i = off; i < off + 148; i++) {
      sum += buf[i];
    }
    for (let i = off + 156; i < off + 512; i++) {
      sum += buf[i];
    }
    this.cksum = sum;
    encNumber(buf, off + 148, 8, this.cksum);
    this.cksumValid = true;
    return this.needPax;
  }
  get type() {
    return this.#type === "Unsupported" ? this.#type : name3.get(this.#type);
  }
  get typeKey() {
    return this.#type;
  }
  set type(type) {
    const c = String(code2.get(type));
    if (isCode(c) || c === "Unsupported") {
      this.#type = c;
    } else if (isCode(type)) {
      this.#type = type;
    } else {
      throw new TypeError("invalid entry type: " + type);
    }
  }
};
var splitPrefix = (p, prefixSize) => {
  const pathSize = 100;
  let pp = p;
  let prefix = "";
  let ret = void 0;
  const root = pathModule.parse(p).root || ".";
  if (Buffer.byteLength(pp) < pathSize) {
    ret = [pp, prefix, false];
  } else {
    prefix = pathModule.dirname(pp);
    pp = pathModule.basename(pp);
    do {
      if (Buffer.byteLength(pp) <= pathSize && Buffer.byteLength(prefix) <= prefixSize) {
        ret = [pp, prefix, false];
      } else if (Buffer.byteLength(pp) > pathSize && Buffer.byteLength(prefix) <= prefixSize) {
        ret = [pp.slice(0, pathSize - 1), prefix, true];
      } else {
        pp = pathModule.join(pathModule.basename(prefix), pp);
        prefix = pathModule.dirname(prefix);
      }
    } while (prefix !== root && ret === void 0);
    if (!ret) {
      ret = [p.slice(0, pathSize - 1), "", true];
    }
  }
  return ret;
};
var decString = (buf, off, size2) => buf.subarray(off, off + size2).toString("utf8").replace(/\0.*/, "");
var decDate = (buf, off, size2) => numToDate(decNumber(buf, off, size2));
var numToDate = (num) => num === void 0 ? void 0 : new Date(num * 1e3);
var decNumber = (buf, off, size2) => Number(buf[off]) & 128 ? parse5(buf.subarray(off, off + size2)) : decSmallNumber(buf, off, size2);
var nanUndef = (value) => isNaN(value) ? void 0 : value;
var decSmallNumber = (buf, off, size2) => nanUndef(parseInt(buf.subarray(off, off + size2).toString("utf8").replace(/\0.*$/, "").trim(), 8));
var MAXNUM = {
  12: 8589934591,
  8: 2097151
};
var encNumber = (buf, off, size2, num) => num === void 0 ? false : num > MAXNUM[size2] || num < 0 ? (encode2(num, buf.subarray(off, off + size2)), true) : (encSmallNumber(buf, off, size2, num), false);
var encSmallNumber = (buf, off, size2, num) => buf.write(octalString(num, size2), off, size2, "ascii");
var octalString = (num, size2) => padOctal(Math.floor(num).toString(8), size2);
var padOctal = (str, size2) => (str.length === size2 - 1 ? str : new Array(size2 - str.length - 1).join("0") + str + " ") + "\0";
var encDate = (buf, off, size2, date4) => date4 === void 0 ? false : encNumber(buf, off, size2, date4.getTime() / 1e3);
var NULLS = new Array(156).join("\0");
var encString = (buf, off, size2, str) => str === void 0 ? false : (buf.write(str + NULLS, off, size2, "utf8"), str.length !== Buffer.byteLength(str) || str.length > size2);

// node_modules/tar/dist/esm/pax.js
import { basename } from "node:path";
var Pax = class _Pax {
  atime;
  mtime;
  ctime;
  charset;
  comment;
  gid;
  uid;
  gname;
  uname;
  linkpath;
  dev;
  ino;
  nlink;
  path;
  size;
  mode;
  global;
  constructor(obj, global = false) {
    this.atime = obj.atime;
    this.charset = obj.charset;
    this.comment = obj.comment;
    this.ctime = obj.ctime;
    this.dev = obj.dev;
    this.gid = obj.gid;
    this.global = global;
    this.gname = obj.gname;
    this.ino = obj.ino;
    this.linkpath = obj.linkpath;
    this.mtime = obj.mtime;
    this.nlink = obj.nlink;
    this.path = obj.path;
    this.size = obj.size;
    this.uid = obj.uid;
    this.uname = obj.uname;
  }
  encode() {
    const body = this.encodeBody();
    if (body === "") {
      return Buffer.allocUnsafe(0);
    }
    const bodyLen = Buffer.byteLength(body);
    const bufLen = 512 * Math.ceil(1 + bodyLen / 512);
    const buf = Buffer.allocUnsafe(bufLen);
    for (let i = 0; i < 512; i++) {
      buf[i] = 0;
    }
    new Header({
      // XXX split the path
      // then the path should be PaxHeader + basename, but less than 99,
      // prepend with the dirname
      /* c8 ignore start */
      path: ("PaxHeader/" + basename(this.path ?? "")).slice(0, 99),
      /* c8 ignore stop */
      mode: this.mode || 420,
      uid: this.uid,
      gid: this.gid,
      size: bodyLen,
      mtime: this.mtime,
      type: this.global ? "GlobalExtendedHeader" : "ExtendedHeader",
      linkpath: "",
      uname: this.uname || "",
      gname: this.gname || "",
      devmaj: 0,
      devmin: 0,
      atime: this.atime,
      ctime: this.ctime
    }).encode(buf);
    buf.write(body, 512, bodyLen, "utf8");
    for (let i = bodyLen + 512; i < buf.length; i++) {
      buf[i] = 0;
    }
    return buf;
  }
  encodeBody() {
    return this.encodeField("path") + this.encodeField("ctime") + this.encodeField("atime") + this.encodeField("dev") + this.encodeField("ino") + this.encodeField("nlink") + this.encodeField("charset") + this.encodeField("comment") + this.encodeField("gid") + this.encodeField("gname") + this.encodeField("linkpath") + this.encodeField("mtime") + this.encodeField("size") + this.encodeField("uid") + this.encodeField("uname");
  }
  encodeField(field) {
    if (this[field] === void 0) {
      return "";
    }
    const r = this[field];
    const v = r instanceof Date ? r.getTime() / 1e3 : r;
    const s = " " + (field === "dev" || field === "ino" || field === "nlink" ? "SCHILY." : "") + field + "=" + v + "\n";
    const byteLen = Buffer.byteLength(s);
    let digits = Math.floor(Math.log(byteLen) / Math.log(10)) + 1;
    if (byteLen + digits >= Math.pow(10, digits)) {
      digits += 1;
    }
    const len = digits + byteLen;
    return len + s;
  }
  static parse(str, ex, g = false) {
    return new _Pax(merge3(parseKV(str), ex), g);
  }
};
var merge3 = (a, b) => b ? Object.assign({}, b, a) : a;
var parseKV = (str) => str.replace(/\n$/, "").split("\n").reduce(parseKVLine, /* @__PURE__ */ Object.create(null));
var parseKVLine = (set, line) => {
  const n = parseInt(line, 10);
  if (n !== Buffer.byteLength(line) + 1) {
    return set;
  }
  line = line.slice((n + " ").length);
  const kv = line.split("=");
  const r = kv.shift();
  if (!r) {
    return set;
  }
  const k = r.replace(/^SCHILY\.(dev|ino|nlink)/, "$1");
  const v = kv.join("=").replace(/\0.*/, "");
  switch (k) {
    case "path":
    case "linkpath":
    case "type":
    case "charset":
    case "comment":
    case "gname":
    case "uname":
      set[k] = v;
      break;
    case "ctime":
    case "atime":
    case "mtime":
      set[k] = new Date(Number(v) * 1e3);
      break;
    case "size":
      const s = +v;
      if (s >= 0)
        set[k] = s;
      break;
    case "gid":
    case "uid":
    case "dev":
    case "ino":
    case "nlink":
    case "mode":
      set[k] = +v;
      break;
  }
  return set;
};

// node_modules/tar/dist/esm/normalize-windows-path.js
var platform = process.env.TESTING_TAR_FAKE_PLATFORM || process.platform;
var normalizeWindowsPath = platform !== "win32" ? (p) => String(p) : (p) => String(p).replaceAll(/\\/g, "/");

// node_modules/tar/dist/esm/read-entry.js
var ReadEntry = class extends Minipass {
  extended;
  globalExtended;
  header;
  startBlockSize;
  blockRemain;
  remain;
  type;
  meta = false;
  ignore = false;
  path;
  mode;
  uid;
  gid;
  uname;
  gname;
  size = 0;
  mtime;
  atime;
  ctime;
  linkpath;
  dev;
  ino;
  nlink;
  invalid = false;
  absolute;
  unsupported = false;
  constructor(header, ex, gex) {
    super({});
    this.pause();
    this.extended = ex;
    this.globalExtended = gex;
    this.header = header;
    this.remain = header.size ?? 0;
    this.startBlockSize = 512 * Math.ceil(this.remain / 512);
    this.blockRemain = this.startBlockSize;
    this.type = header.type;
    switch (this.type) {
      case "File":
      case "OldFile":
      case "Link":
      case "SymbolicLink":
      case "CharacterDevice":
      case "BlockDevice":
      case "Directory":
      case "FIFO":
      case "ContiguousFile":
      case "GNUDumpDir":
        break;
      case "NextFileHasLongLinkpath":
      case "NextFileHasLongPath":
      case "OldGnuLongPath":
      case "GlobalExtendedHeader":
      case "ExtendedHeader":
      case "OldExtendedHeader":
        this.meta = true;
        break;
      // NOTE: gnutar and bsdtar treat unrecognized types as 'File'
      // it may be worth doing the same, but with a warning.
      default:
        this.ignore = true;
    }
    if (!header.path) {
      throw new Error("no path provided for tar.ReadEntry");
    }
    this.path = normalizeWindowsPath(header.path);
    this.mode = header.mode;
    if (this.mode) {
      this.mode = this.mode & 4095;
    }
    this.uid = header.uid;
    this.gid = header.gid;
    this.uname = header.uname;
    this.gname = header.gname;
    this.size = this.remain;
    this.mtime = header.mtime;
    this.atime = header.atime;
    this.ctime = header.ctime;
    this.linkpath = header.linkpath ? normalizeWindowsPath(header.linkpath) : void 0;
    this.uname = header.uname;
    this.gname = header.gname;
    if (ex) {
      this.#slurp(ex);
    }
    if (gex) {
      this.#slurp(gex, true);
    }
  }
  write(data) {
    const writeLen = data.length;
    if (writeLen > this.blockRemain) {
      throw new Error("writing more to entry than is appropriate");
    }
    const r = this.remain;
    const br = this.blockRemain;
    this.remain = Math.max(0, r - writeLen);
    this.blockRemain = Math.max(0, br - writeLen);
    if (this.ignore) {
      return true;
    }
    if (r >= writeLen) {
      return super.write(data);
    }
    return super.write(data.subarray(0, r));
  }
  #slurp(ex, gex = false) {
    if (ex.path)
      ex.path = normalizeWindowsPath(ex.path);
    if (ex.linkpath)
      ex.linkpath = normalizeWindowsPath(ex.linkpath);
    Object.assign(this, Object.fromEntries(Object.entries(ex).filter(([k, v]) => {
      return !(v === null || v === void 0 || k === "path" && gex);
    })));
  }
};

// node_modules/tar/dist/esm/warn-method.js
var warnMethod = (self, code3, message, data = {}) => {
  if (self.file) {
    data.file = self.file;
  }
  if (self.cwd) {
    data.cwd = self.cwd;
  }
  data.code = message instanceof Error && message.code || code3;
  data.tarCode = code3;
  if (!self.strict && data.recoverable !== false) {
    if (message instanceof Error) {
      data = Object.assign(message, data);
      message = message.message;
    }
    self.emit("warn", code3, message, data);
  } else if (message instanceof Error) {
    self.emit("error", Object.assign(message, data));
  } else {
    self.emit("error", Object.assign(new Error(`${code3}: ${message}`), data));
  }
};

// node_modules/tar/dist/esm/parse.js
var maxMetaEntrySize = 1024 * 1024;
var gzipHeader = Buffer.from([31, 139]);
var zstdHeader = Buffer.from([40, 181, 47, 253]);
var ZIP_HEADER_LEN = Math.max(gzipHeader.length, zstdHeader.length);
var STATE2 = /* @__PURE__ */ Symbol("state");
var WRITEENTRY = /* @__PURE__ */ Symbol("writeEntry");
var READENTRY = /* @__PURE__ */ Symbol("readEntry");
var NEXTENTRY = /* @__PURE__ */ Symbol("nextEntry");
var PROCESSENTRY = /* @__PURE__ */ Symbol("processEntry");
var EX = /* @__PURE__ */ Symbol("extendedHeader");
var GEX = /* @__PURE__ */ Symbol("globalExtendedHeader");
var META = /* @__PURE__ */ Symbol("meta");
var EMITMETA = /* @__PURE__ */ Symbol("emitMeta");
var BUFFER2 = /* @__PURE__ */ Symbol("buffer");
var QUEUE = /* @__PURE__ */ Symbol("queue");
var ENDED = /* @__PURE__ */ Symbol("ended");
var EMITTEDEND = /* @__PURE__ */ Symbol("emittedEnd");
var EMIT = /* @__PURE__ */ Symbol("emit");
var UNZIP = /* @__PURE__ */ Symbol("unzip");
var CONSUMECHUNK = /* @__PURE__ */ Symbol("consumeChunk");
var CONSUMECHUNKSUB = /* @__PURE__ */ Symbol("consumeChunkSub");
var CONSUMEBODY = /* @__PURE__ */ Symbol("consumeBody");
var CONSUMEMETA = /* @__PURE__ */ Symbol("consumeMeta");
var CONSUMEHEADER = /* @__PURE__ */ Symbol("consumeHeader");
var CONSUMING = /* @__PURE__ */ Symbol("consuming");
var BUFFERCONCAT = /* @__PURE__ */ Symbol("bufferConcat");
var MAYBEEND = /* @__PURE__ */ Symbol("maybeEnd");
var WRITING = /* @__PURE__ */ Symbol("writing");
var ABORTED2 = /* @__PURE__ */ Symbol("aborted");
var DONE = /* @__PURE__ */ Symbol("onDone");
var SAW_VALID_ENTRY = /* @__PURE__ */ Symbol("sawValidEntry");
var SAW_NULL_BLOCK = /* @__PURE__ */ Symbol("sawNullBlock");
var SAW_EOF = /* @__PURE__ */ Symbol("sawEOF");
var CLOSESTREAM = /* @__PURE__ */ Symbol("closeStream");
var MAX_DECOMPRESSION_RATIO = 1e3;
var COMPRESSEDBYTESREAD = /* @__PURE__ */ Symbol("compressedBytesRead");
var DECOMPRESSEDBYTESREAD = /* @__PURE__ */ Symbol("decompressedBytesRead");
var CHECKDECOMPRESSIONRATIO = /* @__PURE__ */ Symbol("checkDecompressionRatio");
var noop2 = () => true;
var Parser = class extends EE {
  file;
  strict;
  maxMetaEntrySize;
  filter;
  brotli;
  zstd;
  maxDecompressionRatio;
  writable = true;
  readable = false;
  [QUEUE] = [];
  [BUFFER2];
  [READENTRY];
  [WRITEENTRY];
  [STATE2] = "begin";
  [META] = "";
  [EX];
  [GEX];
  [ENDED] = false;
  [UNZIP];
  [ABORTED2] = false;
  [SAW_VALID_ENTRY];
  [SAW_NULL_BLOCK] = false;
  [SAW_EOF] = false;
  [WRITING] = false;
  [CONSUMING] = false;
  [EMITTEDEND] = false;
  [COMPRESSEDBYTESREAD] = 0;
  [DECOMPRESSEDBYTESREAD] = 0;
  constructor(opt = {}) {
    super();
    this.file = opt.file || "";
    this.on(DONE, () => {
      if (this[STATE2] === "begin" || this[SAW_VALID_ENTRY] === false) {
        this.warn("TAR_BAD_ARCHIVE", "Unrecognized archive format");
      }
    });
    if (opt.ondone) {
      this.on(DONE, opt.ondone);
    } else {
      this.on(DONE, () => {
        this.emit("prefinish");
        this.emit("finish");
        this.emit("end");
      });
    }
    this.strict = !!opt.strict;
    this.maxDecompressionRatio = typeof opt.maxDecompressionRatio === "number" ? opt.maxDecompressionRatio : MAX_DECOMPRESSION_RATIO;
    this.maxMetaEntrySize = opt.maxMetaEntrySize || maxMetaEntrySize;
    this.filter = typeof opt.filter === "function" ? opt.filter : noop2;
    const isTBR = opt.file && (opt.file.endsWith(".tar.br") || opt.file.endsWith(".tbr"));
    this.brotli = !(opt.gzip || opt.zstd) && opt.brotli !== void 0 ? opt.brotli : isTBR ? void 0 : false;
    const isTZST = opt.file && (opt.file.endsWith(".tar.zst") || opt.file.endsWith(".tzst"));
    this.zstd = !(opt.gzip || opt.brotli) && opt.zstd !== void 0 ? opt.zstd : isTZST ? true : void 0;
    this.on("end", () => this[CLOSESTREAM]());
    if (typeof opt.onwarn === "function") {
      this.on("warn", opt.onwarn);
    }
    if (typeof opt.onReadEntry === "function") {
      this.on("entry", opt.onReadEntry);
    }
  }
  warn(code3, message, data = {}) {
    warnMethod(this, code3, message, data);
  }
  [CONSUMEHEADER](chunk, position2) {
    if (this[SAW_VALID_ENTRY] === void 0) {
      this[SAW_VALID_ENTRY] = false;
    }
    let header;
    try {
      header = new Header(chunk, position2, this[EX], this[GEX]);
    } catch (er) {
      return this.warn("TAR_ENTRY_INVALID", er);
    }
    if (header.nullBlock) {
      if (this[SAW_NULL_BLOCK]) {
        this[SAW_EOF] = true;
        if (this[STATE2] === "begin") {
          this[STATE2] = "header";
        }
        this[EMIT]("eof");
      } else {
        this[SAW_NULL_BLOCK] = true;
        this[EMIT]("nullBlock");
      }
    } else {
      this[SAW_NULL_BLOCK] = false;
      if (!header.cksumValid) {
        this.warn("TAR_ENTRY_INVALID", "checksum failure", { header });
      } else if (!header.path) {
        this.warn("TAR_ENTRY_INVALID", "path is required", { header });
      } else {
        const type = header.type;
        if (/^(Symbolic)?Link$/.test(type) && !header.linkpath) {
          this.warn("TAR_ENTRY_INVALID", "linkpath required", {
            header
          });
        } else if (!/^(Symbolic)?Link$/.test(type) && !/^(Global)?ExtendedHeader$/.test(type) && header.linkpath) {
          this.warn("TAR_ENTRY_INVALID", "linkpath forbidden", {
            header
          });
        } else {
          const entry = this[WRITEENTRY] = new ReadEntry(header, this[EX], this[GEX]);
          if (!this[SAW_VALID_ENTRY]) {
            if (entry.remain) {
              const onend = () => {
                if (!entry.invalid) {
                  this[SAW_VALID_ENTRY] = true;
                }
              };
              entry.on("end", onend);
            } else {
              this[SAW_VALID_ENTRY] = true;
            }
          }
          if (entry.meta) {
            if (entry.size > this.maxMetaEntrySize) {
              entry.ignore = true;
              this[EMIT]("ignoredEntry", entry);
              this[STATE2] = "ignore";
              entry.resume();
            } else if (entry.size > 0) {
              this[META] = "";
              entry.on("data", (c) => this[META] += c);
              this[STATE2] = "meta";
            }
          } else {
            this[EX] = void 0;
            entry.ignore = entry.ignore || !this.filter(entry.path, entry);
            if (entry.ignore) {
              this[EMIT]("ignoredEntry", entry);
              this[STATE2] = entry.remain ? "ignore" : "header";
              entry.resume();
            } else {
              if (entry.remain) {
                this[STATE2] = "body";
              } else {
                this[STATE2] = "header";
                entry.end();
              }
              if (!this[READENTRY]) {
                this[QUEUE].push(entry);
                this[NEXTENTRY]();
              } else {
                this[QUEUE].push(entry);
              }
            }
          }
        }
      }
    }
  }
  [CLOSESTREAM]() {
    queueMicrotask(() => this.emit("close"));
  }
  [PROCESSENTRY](entry) {
    let go = true;
    if (!entry) {
      this[READENTRY] = void 0;
      go = false;
    } else if (Array.isArray(entry)) {
      const [ev, ...args] = entry;
      this.emit(ev, ...args);
    } else {
      this[READENTRY] = entry;
      this.emit("entry", entry);
      if (!entry.emittedEnd) {
        entry.on("end", () => this[NEXTENTRY]());
        go = false;
      }
    }
    return go;
  }
  [NEXTENTRY]() {
    do {
    } while (this[PROCESSENTRY](this[QUEUE].shift()));
    if (this[QUEUE].length === 0) {
      const re = this[READENTRY];
      const drainNow = !re || re.flowing || re.size === re.remain;
      if (drainNow) {
        if (!this[WRITING]) {
          this.emit("drain");
        }
      } else {
        re.once("drain", () => this.emit("drain"));
      }
    }
  }
  [CONSUMEBODY](chunk, position2) {
    const entry = this[WRITEENTRY];
    if (!entry) {
      throw new Error("attempt to consume body without entry??");
    }
    const br = entry.blockRemain ?? 0;
    const c = br >= chunk.length && position2 === 0 ? chunk : chunk.subarray(position2, position2 + br);
    entry.write(c);
    if (!entry.blockRemain) {
      this[STATE2] = "header";
      this[WRITEENTRY] = void 0;
      entry.end();
    }
    return c.length;
  }
  [CONSUMEMETA](chunk, position2) {
    const entry = this[WRITEENTRY];
    const ret = this[CONSUMEBODY](chunk, position2);
    if (!this[WRITEENTRY] && entry) {
      this[EMITMETA](entry);
    }
    return ret;
  }
  [EMIT](ev, data, extra) {
    if (this[QUEUE].length === 0 && !this[READENTRY]) {
      this.emit(ev, data, extra);
    } else {
      this[QUEUE].push([ev, data, extra]);
    }
  }
  [EMITMETA](entry) {
    this[EMIT]("meta", this[META]);
    switch (entry.type) {
      case "ExtendedHeader":
      case "OldExtendedHeader":
        this[EX] = Pax.parse(this[META], this[EX], false);
        break;
      case "GlobalExtendedHeader":
        this[GEX] = Pax.parse(this[META], this[GEX], true);
        break;
      case "NextFileHasLongPath":
      case "OldGnuLongPath": {
        const ex = this[EX] ?? /* @__PURE__ */ Object.create(null);
        this[EX] = ex;
        ex.path = this[META].replace(/\0.*/, "");
        break;
      }
      case "NextFileHasLongLinkpath": {
        const ex = this[EX] || /* @__PURE__ */ Object.create(null);
        this[EX] = ex;
        ex.linkpath = this[META].replace(/\0.*/, "");
        break;
      }
      /* c8 ignore start */
      default:
        throw new Error("unknown meta: " + entry.type);
    }
  }
  abort(error2) {
    if (this[ABORTED2]) {
      return;
    }
    if (this[UNZIP]) {
      const u = this[UNZIP];
      u.write = () => true;
      u.end = () => u;
      u.emit = () => false;
      u.destroy?.();
    }
    this[ABORTED2] = true;
    this.emit("abort", error2);
    this.warn("TAR_ABORT", error2, { recoverable: false });
  }
  [CHECKDECOMPRESSIONRATIO](chunk) {
    this[DECOMPRESSEDBYTESREAD] += chunk.length;
    const ratio = this[DECOMPRESSEDBYTESREAD] / this[COMPRESSEDBYTESREAD];
    if (ratio > this.maxDecompressionRatio) {
      this.abort(new Error(`max decompression ratio exceeded: ${ratio.toFixed(2)} > ${this.maxDecompressionRatio}`));
      return false;
    }
    return true;
  }
  write(chunk, encoding, cb) {
    if (typeof encoding === "function") {
      cb = encoding;
      encoding = void 0;
    }
    if (typeof chunk === "string") {
      chunk = Buffer.from(
        chunk,
        /* c8 ignore next */
        typeof encoding === "string" ? encoding : "utf8"
      );
    }
    if (this[ABORTED2]) {
      cb?.();
      return false;
    }
    const needSniff = this[UNZIP] === void 0 || this.brotli === void 0 && this[UNZIP] === false;
    if (needSniff && chunk) {
      if (this[BUFFER2]) {
        chunk = Buffer.concat([this[BUFFER2], chunk]);
        this[BUFFER2] = void 0;
      }
      if (chunk.length < ZIP_HEADER_LEN) {
        this[BUFFER2] = chunk;
        cb?.();
        return true;
      }
      for (let i = 0; this[UNZIP] === void 0 && i < gzipHeader.length; i++) {
        if (chunk[i] !== gzipHeader[i]) {
          this[UNZIP] = false;
        }
      }
      let isZstd = false;
      if (this[UNZIP] === false && this.zstd !== false) {
        isZstd = true;
        for (let i = 0; i < zstdHeader.length; i++) {
          if (chunk[i] !== zstdHeader[i]) {
            isZstd = false;
            break;
          }
        }
      }
      const maybeBrotli = this.brotli === void 0 && !isZstd;
      if (this[UNZIP] === false && maybeBrotli) {
        if (chunk.length < 512) {
          if (this[ENDED]) {
            this.brotli = true;
          } else {
            this[BUFFER2] = chunk;
            cb?.();
            return true;
          }
        } else {
          try {
            new Header(chunk.subarray(0, 512));
            this.brotli = false;
          } catch (_) {
            this.brotli = true;
          }
        }
      }
      if (this[UNZIP] === void 0 || this[UNZIP] === false && (this.brotli || isZstd)) {
        const ended = this[ENDED];
        this[ENDED] = false;
        this[UNZIP] = this[UNZIP] === void 0 ? new Unzip({}) : isZstd ? new ZstdDecompress({}) : new BrotliDecompress({});
        this[UNZIP].on("data", (chunk2) => {
          if (this[CHECKDECOMPRESSIONRATIO](chunk2)) {
            this[CONSUMECHUNK](chunk2);
          }
        });
        this[UNZIP].on("error", (er) => {
          if (!this[ABORTED2]) {
            this.abort(er);
          }
        });
        this[UNZIP].on("end", () => {
          this[ENDED] = true;
          this[CONSUMECHUNK]();
        });
        this[WRITING] = true;
        this[COMPRESSEDBYTESREAD] += chunk.length;
        const ret2 = !!this[UNZIP][ended ? "end" : "write"](chunk);
        this[WRITING] = false;
        cb?.();
        return ret2;
      }
    }
    this[WRITING] = true;
    if (this[UNZIP]) {
      this[COMPRESSEDBYTESREAD] += chunk.length;
      this[UNZIP].write(chunk);
    } else {
      this[CONSUMECHUNK](chunk);
    }
    this[WRITING] = false;
    const ret = this[QUEUE].length > 0 ? false : this[READENTRY] ? this[READENTRY].flowing : true;
    if (!ret && this[QUEUE].length === 0) {
      this[READENTRY]?.once("drain", () => this.emit("drain"));
    }
    cb?.();
    return ret;
  }
  [BUFFERCONCAT](c) {
    if (c && !this[ABORTED2]) {
      this[BUFFER2] = this[BUFFER2] ? Buffer.concat([this[BUFFER2], c]) : c;
    }
  }
  [MAYBEEND]() {
    if (this[ENDED] && !this[EMITTEDEND] && !this[ABORTED2] && !this[CONSUMING]) {
      this[EMITTEDEND] = true;
      const entry = this[WRITEENTRY];
      if (entry?.blockRemain) {
        const have = this[BUFFER2] ? this[BUFFER2].length : 0;
        this.warn("TAR_BAD_ARCHIVE", `Truncated input (needed ${entry.blockRemain} more bytes, only ${have} available)`, { entry });
        if (this[BUFFER2]) {
          entry.write(this[BUFFER2]);
        }
        entry.end();
      }
      this[EMIT](DONE);
    }
  }
  [CONSUMECHUNK](chunk) {
    if (this[CONSUMING] && chunk) {
      this[BUFFERCONCAT](chunk);
    } else if (!chunk && !this[BUFFER2]) {
      this[MAYBEEND]();
    } else if (chunk) {
      this[CONSUMING] = true;
      if (this[BUFFER2]) {
        this[BUFFERCONCAT](chunk);
        const c = this[BUFFER2];
        this[BUFFER2] = void 0;
        this[CONSUMECHUNKSUB](c);
      } else {
        this[CONSUMECHUNKSUB](chunk);
      }
      while (this[BUFFER2] && this[BUFFER2]?.length >= 512 && !this[ABORTED2] && !this[SAW_EOF]) {
        const c = this[BUFFER2];
        this[BUFFER2] = void 0;
        this[CONSUMECHUNKSUB](c);
      }
      this[CONSUMING] = false;
    }
    if (!this[BUFFER2] || this[ENDED]) {
      this[MAYBEEND]();
    }
  }
  [CONSUMECHUNKSUB](chunk) {
    let position2 = 0;
    const length = chunk.length;
    while (position2 + 512 <= length && !this[ABORTED2] && !this[SAW_EOF]) {
      switch (this[STATE2]) {
        case "begin":
        case "header":
          this[CONSUMEHEADER](chunk, position2);
          position2 += 512;
          break;
        case "ignore":
        case "body":
          position2 += this[CONSUMEBODY](chunk, position2);
          break;
        case "meta":
          position2 += this[CONSUMEMETA](chunk, position2);
          break;
        /* c8 ignore start */
        default:
          throw new Error("invalid state: " + this[STATE2]);
      }
    }
    if (position2 < length) {
      this[BUFFER2] = this[BUFFER2] ? Buffer.concat([chunk.subarray(position2), this[BUFFER2]]) : chunk.subarray(position2);
    }
  }
  end(chunk, encoding, cb) {
    if (typeof chunk === "function") {
      cb = chunk;
      encoding = void 0;
      chunk = void 0;
    }
    if (typeof encoding === "function") {
      cb = encoding;
      encoding = void 0;
    }
    if (typeof chunk === "string") {
      chunk = Buffer.from(chunk, encoding);
    }
    if (cb)
      this.once("finish", cb);
    if (!this[ABORTED2]) {
      if (this[UNZIP]) {
        if (chunk) {
          this[COMPRESSEDBYTESREAD] += chunk.length;
          this[UNZIP].write(chunk);
        }
        this[UNZIP].end();
      } else {
        this[ENDED] = true;
        if (this.brotli === void 0 || this.zstd === void 0)
          chunk = chunk || Buffer.alloc(0);
        if (chunk)
          this.write(chunk);
        this[MAYBEEND]();
      }
    }
    return this;
  }
};

// packages/image/src/layers.ts
var WHITEOUT = ".wh.";
var OPAQUE = ".wh..wh..opq";
function mergeLayers(layers, platform2, options = {}) {
  const merged = /* @__PURE__ */ new Map();
  for (const { files: files2, links, removed, folders, opaque } of layers) {
    const linked = [...links].map(
      ([path, target]) => [path, files2.get(target) ?? merged.get(target)]
    );
    if (removed.size + opaque.size > 0) {
      for (const path of merged.keys()) if (isHidden(path, removed, opaque)) merged.delete(path);
    }
    for (const path of folders) merged.delete(path);
    for (const [path, machine] of files2) merged.set(path, machine);
    for (const [path, machine] of linked) merged.set(path, machine);
  }
  const scan = new ElfScan(platform2, options);
  for (const [path, machine] of merged) scan.add(path, machine);
  return scan.report();
}
async function readLayer({ mediaType, open: open3 }) {
  const files2 = /* @__PURE__ */ new Map();
  const links = /* @__PURE__ */ new Map();
  const removed = /* @__PURE__ */ new Set();
  const folders = /* @__PURE__ */ new Set();
  const opaque = /* @__PURE__ */ new Set();
  const onReadEntry = (entry) => {
    const path = absolute(entry.path);
    const slash = path.lastIndexOf("/");
    const folder = path.slice(0, slash);
    const name4 = path.slice(slash + 1);
    if (name4 === OPAQUE) opaque.add(folder === "" ? "/" : folder);
    else if (name4.startsWith(WHITEOUT)) removed.add(`${folder}/${name4.slice(WHITEOUT.length)}`);
    else if (entry.type === "Link") {
      const target = absolute(entry.linkpath ?? "");
      if (files2.has(target)) files2.set(path, files2.get(target));
      else links.set(path, target);
      removed.add(path);
    } else if (entry.type === "File" || entry.type === "OldFile" || entry.type === "ContiguousFile") {
      removed.add(path);
      links.delete(path);
      files2.set(path, void 0);
      readHeader(entry, (machine) => files2.set(path, machine));
      return;
    } else if (entry.type === "Directory" || entry.type === "GNUDumpDir") {
      folders.add(path);
    } else {
      removed.add(path);
      files2.delete(path);
    }
    entry.resume();
  };
  const damage = [];
  const blank = { value: true };
  const parser = new Parser({
    onReadEntry,
    onwarn: (code3, message) => {
      if (code3 !== "TAR_ENTRY_INFO") damage.push(message);
    }
  });
  try {
    const stream = Readable.fromWeb(await open3());
    await pipeline([
      stream,
      ...decompression(mediaType),
      sink(parser, (chunk) => {
        blank.value &&= chunk.every((byte) => byte === 0);
      })
    ]);
  } catch (cause) {
    if (isTgoError(cause)) throw cause;
    throw unreadable(mediaType, cause instanceof Error ? cause.message : String(cause));
  }
  const [first] = damage;
  if (first !== void 0 && !blank.value) throw unreadable(mediaType, first);
  return { files: files2, links, removed, folders, opaque };
}
function readHeader(entry, done) {
  let header = Buffer.alloc(0);
  entry.on("data", (chunk) => {
    if (header.length >= ELF_HEADER_BYTES) return;
    header = Buffer.concat([header, chunk.subarray(0, ELF_HEADER_BYTES - header.length)]);
  });
  entry.on("end", () => {
    done(readElfHeader(header)?.machine);
  });
}
function sink(parser, look2) {
  return new Writable({
    write(chunk, _encoding, callback) {
      look2(chunk);
      if (parser.write(chunk)) callback();
      else
        parser.once("drain", () => {
          callback();
        });
    },
    final(callback) {
      parser.once("end", () => {
        callback();
      });
      parser.end();
    }
  });
}
function decompression(mediaType) {
  if (/gzip$/.test(mediaType)) return [zlib.createGunzip()];
  if (/zstd$/.test(mediaType)) {
    const create = "createZstdDecompress" in zlib ? zlib.createZstdDecompress : void 0;
    if (create !== void 0) return [create()];
    throw new TgoError(
      "ENVIRONMENT",
      `this Node (${process.version}) cannot read layers compressed with zstd`,
      {
        remedy: "Use Node 22.15 or newer, or publish with gzip layers."
      }
    );
  }
  if (/tar$/.test(mediaType)) return [];
  throw new TgoError("INVALID_RESPONSE", `"${mediaType}" is no layer this program can read`);
}
function unreadable(mediaType, why) {
  return new TgoError(
    "INVALID_RESPONSE",
    `the layer is no readable ${mediaType.replace(/^.*\.tar/, "tar")}: ${why}`
  );
}
function absolute(path) {
  const parts = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}
function isHidden(path, removed, opaque) {
  if (removed.has(path) || opaque.has("/")) return true;
  for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) {
    const ancestor = path.slice(0, slash);
    if (removed.has(ancestor) || opaque.has(ancestor)) return true;
  }
  return false;
}

// packages/image/src/push-image.ts
async function pushImage(image, destination) {
  const blobs = image.variants.flatMap(({ config: config2, layers }) => [
    ...layers.filter(({ urls }) => urls === void 0).map(({ digest, size: size2 }) => ({ digest, size: size2 })),
    { digest: config2.digest, size: config2.bytes.length, bytes: config2.bytes }
  ]);
  const children = image.variants.map(({ manifest }) => ({ mediaType: OCI_MANIFEST, ...manifest }));
  const index = { mediaType: image.index.mediaType, digest: image.digest, bytes: image.index.bytes };
  return pushParts({ blobs, manifests: [...children, index] }, destination);
}

// packages/image/src/verify/image-cache.ts
var CachedVariant = class {
  constructor(platform2, child, manifest, config2) {
    this.platform = platform2;
    this.child = child;
    this.manifest = manifest;
    this.config = config2;
  }
  platform;
  child;
  manifest;
  config;
  get digest() {
    return this.child.digest;
  }
  /** What a pull transfers: config and layers, compressed, in bytes. */
  get size() {
    return this.manifest.layers.reduce((sum, { size: size2 }) => sum + size2, this.manifest.config.size);
  }
  /** All that a pull asks a registry for and that was not read from it. */
  needs(fetched) {
    const layers = new Map(
      this.manifest.layers.filter(({ urls }) => urls === void 0).map((layer) => [layer.digest, layer])
    );
    return [
      ...fetched.manifest ? [] : [this.child],
      ...fetched.config ? [] : [this.manifest.config],
      ...layers.values()
    ];
  }
};
var ImageCache = class {
  #manifests = /* @__PURE__ */ new Map();
  #configs = /* @__PURE__ */ new Map();
  /** @throws TgoError as {@link Registry} does; INVALID_RESPONSE when the child is no image. */
  async variant(place2, child) {
    const where2 = address(place2.registry, place2.repository, child.digest);
    const manifest = await once(
      this.#manifests,
      child.digest,
      () => readManifest(place2, child.digest, where2)
    );
    if (manifest.value.size !== child.size) {
      throw new TgoError(
        "INVALID_RESPONSE",
        `the index says ${child.size} bytes, the manifest has ${manifest.value.size}`,
        { where: where2 }
      );
    }
    const { config: descriptor } = manifest.value.value;
    const config2 = await once(
      this.#configs,
      descriptor.digest,
      async () => parseConfig(
        await readBlob(place2.registry, place2.repository, descriptor),
        address(place2.registry, place2.repository, descriptor.digest)
      )
    );
    const platform2 = platformOf2(child.platform ?? config2.value);
    return {
      variant: new CachedVariant(platform2, child, manifest.value.value, config2.value),
      fetched: { manifest: manifest.fetched, config: config2.fetched }
    };
  }
};
async function readManifest({ registry: registry2, repository }, digest, where2) {
  const { value, descriptor } = await registry2.manifest(repository, digest);
  if (isIndex(value)) throw new TgoError("INVALID_RESPONSE", "the index lists another index", { where: where2 });
  return { value, size: descriptor.size };
}
async function once(memory, key2, read3) {
  for (let waiting = memory.get(key2); waiting !== void 0; waiting = memory.get(key2)) {
    const value = await waiting.then(
      (result) => ({ result }),
      () => void 0
    );
    if (value !== void 0) return { value: value.result, fetched: false };
  }
  const reading = read3();
  memory.set(key2, reading);
  try {
    return { value: await reading, fetched: true };
  } catch (error2) {
    if (memory.get(key2) === reading) memory.delete(key2);
    throw error2;
  }
}

// packages/image/src/verify/inspect.ts
var HEADS_AT_ONCE = 16;
var REPUBLISH = "Build and publish it again.";
async function inspectTarget(target, options, facts) {
  const now = options.now ?? (() => performance.now());
  const started = now();
  const sighting = {
    target,
    problems: [],
    digest: void 0,
    index: void 0,
    variants: [],
    durationMs: 0
  };
  const [, closed] = await Promise.all([
    look(sighting, options, facts).catch((error2) => sighting.problems.push(problemOf(error2))),
    target.anonymous === void 0 ? [] : pullAnonymously(target, target.anonymous)
  ]);
  if (sighting.digest !== void 0) sighting.problems.push(...closed);
  sighting.durationMs = Math.round(now() - started);
  return sighting;
}
async function look(sighting, options, facts) {
  const { registry: registry2, repository, reference } = sighting.target;
  const found = await registry2.manifest(repository, reference);
  sighting.digest = found.descriptor.digest;
  const index = checkIndex(found, sighting, options);
  if (index === void 0) return;
  sighting.index = index;
  const children = index.manifests.filter((child) => !isAttestation(child));
  const seen2 = await Promise.all(children.map((child) => lookAtVariant(child, sighting, facts)));
  sighting.variants = seen2.filter((variant) => variant !== void 0);
  for (const variant of sighting.variants)
    sighting.problems.push(...variantProblems(variant, options.expect, where(sighting)));
}
function checkIndex({ value, descriptor }, sighting, { platforms, expect = {} }) {
  const wrong = (what, remedy) => void sighting.problems.push({ code: "VERIFY", what, where: where(sighting), remedy });
  if (!isIndex(value)) {
    wrong(`it is a single manifest (${descriptor.mediaType}), not an index of platforms`, REPUBLISH);
    return void 0;
  }
  if (value.mediaType !== OCI_INDEX)
    wrong(`its media type is ${value.mediaType}, not ${OCI_INDEX}`, REPUBLISH);
  const attestations = value.manifests.filter(isAttestation).length;
  if (attestations > 0)
    wrong(`it lists ${attestations} attestation manifests`, "Build with provenance and SBOM off.");
  const planned = platforms.map((platform2) => platformOf2(parsePlatform2(platform2)));
  const children = value.manifests.filter((child) => !isAttestation(child));
  const listed2 = children.map(
    ({ platform: platform2 }) => platform2 === void 0 ? "no platform" : platformOf2(platform2)
  );
  for (const platform2 of planned) if (!listed2.includes(platform2)) wrong(`${platform2} is missing`, REPUBLISH);
  for (const platform2 of new Set(listed2)) {
    if (!planned.includes(platform2)) wrong(`it lists ${platform2}, which is not planned`, REPUBLISH);
    if (listed2.filter((other) => other === platform2).length > 1)
      wrong(`it lists ${platform2} more than once`, REPUBLISH);
  }
  for (const text2 of differences(expect.annotations ?? {}, value.annotations ?? {}))
    wrong(`annotation ${text2}`, REPUBLISH);
  for (const { platform: platform2, digest } of expect.variants ?? []) {
    const child = children.find(
      (other) => other.platform !== void 0 && platformOf2(other.platform) === platform2
    );
    if (child !== void 0 && child.digest !== digest)
      wrong(`${platform2} is ${child.digest}, expected ${digest}`, REPUBLISH);
  }
  return value;
}
async function lookAtVariant(child, sighting, facts) {
  const { target, problems: problems6 } = sighting;
  try {
    const { variant, fetched } = await facts.variant(target, child);
    const missing2 = await inParallel(HEADS_AT_ONCE, variant.needs(fetched), async (descriptor) => {
      const size2 = await sizeOf(target, descriptor, descriptor.digest === child.digest);
      if (size2 === descriptor.size) return void 0;
      const what = size2 === void 0 ? "is not in the repository" : `has ${size2} bytes there, not ${descriptor.size}`;
      return `${descriptor.digest} ${what}`;
    });
    const gone = missing2.filter((text2) => text2 !== void 0);
    if (gone.length > 0) {
      problems6.push({
        code: "NOT_FOUND",
        what: `${variant.platform} cannot be pulled whole: ${gone.join("; ")}`,
        where: where(sighting),
        remedy: "Publish again: what is missing is copied from another registry or uploaded."
      });
    }
    return variant;
  } catch (error2) {
    problems6.push(problemOf(error2));
    return void 0;
  }
}
async function sizeOf({ registry: registry2, repository }, { digest, size: size2 }, isManifest) {
  return isManifest ? (await registry2.resolve(repository, digest))?.size : registry2.hasBlob(repository, digest, { size: size2 });
}
function variantProblems(variant, expect = {}, at) {
  const { platform: platform2, config: config2 } = variant;
  const actual = platformOf2(config2);
  return [
    ...platform2 === actual ? [] : [`the index says ${platform2}, the variant's own config ${actual}`],
    ...differences(expect.labels ?? {}, config2.config?.Labels ?? {}).map(
      (text2) => `${platform2}: label ${text2}`
    )
  ].map((what) => ({ code: "VERIFY", what, where: at, remedy: REPUBLISH }));
}
async function pullAnonymously({ repository, reference, registry: registry2 }, anonymous) {
  const remedy = registry2.host === "ghcr.io" ? `GHCR makes new packages private. On GitHub: the package's settings, "Change visibility", Public.` : `Make the repository ${registry2.host}/${repository} public in the registry's settings.`;
  const closed = {
    code: "VERIFY",
    what: "it cannot be pulled without credentials",
    where: address(registry2, repository, reference),
    remedy
  };
  try {
    return await anonymous.resolve(repository, reference) === void 0 ? [closed] : [];
  } catch (error2) {
    const problem3 = problemOf(error2);
    if (problem3.code === "UNAUTHORIZED" || problem3.code === "DENIED" || problem3.code === "NOT_FOUND")
      return [closed];
    return [{ ...problem3, what: `without credentials: ${problem3.what}` }];
  }
}
function differences(expected, actual) {
  return Object.entries(expected).flatMap(([key2, value]) => {
    const found = actual[key2];
    if (found === value) return [];
    return [
      found === void 0 ? `${key2} is missing (expected "${value}")` : `${key2} is "${found}", expected "${value}"`
    ];
  });
}
function where({ target: { registry: registry2, repository, reference } }) {
  return address(registry2, repository, reference);
}

// packages/image/src/verify/verify-elf.ts
var VARIANTS_AT_ONCE = 2;
var PATHS_SHOWN = 10;
async function checkElf(model, sightings, options) {
  const reports = /* @__PURE__ */ new Map();
  const layers = /* @__PURE__ */ new Map();
  const holders = sightings.filter(({ digest }) => digest === model.digest);
  await inParallel(VARIANTS_AT_ONCE, model.variants, async (variant) => {
    try {
      const facts = [];
      for (const { mediaType, digest, urls } of variant.manifest.layers) {
        if (urls !== void 0) continue;
        const reading = layers.get(digest) ?? readLayer({ mediaType, open: () => openFrom(holders, digest) });
        layers.set(digest, reading);
        facts.push(await reading);
      }
      const report = mergeLayers(facts, variant.platform, { allow: options.allowForeign ?? [] });
      reports.set(variant.digest, report);
      if (report.foreign.length > 0)
        for (const holder of holders) holder.problems.push(foreign(variant, report, where(holder)));
    } catch (error2) {
      for (const { problems: problems6 } of holders) problems6.push(problemOf(error2));
    }
  });
  return reports;
}
async function openFrom(holders, digest) {
  for (const { target } of holders.slice(0, -1)) {
    try {
      return await target.registry.blob(target.repository, digest);
    } catch (error2) {
      problemOf(error2);
    }
  }
  const last = holders.at(-1)?.target;
  if (last === void 0) throw new Error("no registry holds the image");
  return last.registry.blob(last.repository, digest);
}
function foreign({ platform: platform2 }, { foreign: files2 }, at) {
  const shown = files2.slice(0, PATHS_SHOWN).map(({ path, machine }) => `${path} (${machine})`);
  const more = files2.length > PATHS_SHOWN ? ` and ${files2.length - PATHS_SHOWN} more` : "";
  return {
    code: "CHECK",
    what: `${platform2} holds ${files2.length} ${files2.length === 1 ? "file" : "files"} for another machine: ${shown.join(", ")}${more}`,
    where: at,
    remedy: "Build that file for the platform, or leave it out. If it belongs there, allow its path in the service's definition."
  };
}

// packages/image/src/verify/verify-image.ts
async function verifyImage(options) {
  const facts = new ImageCache();
  const sightings = await Promise.all(options.targets.map((target) => inspectTarget(target, options, facts)));
  const digest = options.expect?.digest ?? mostCommon(sightings.flatMap((sighting) => sighting.digest ?? []));
  compareDigests(sightings, digest, options.expect?.digest !== void 0);
  const model = sightings.find((sighting) => sighting.digest === digest && sighting.variants.length > 0) ?? sightings.find(({ index }) => index !== void 0);
  const elf = options.elf === true && model !== void 0 ? await checkElf(model, sightings, options) : /* @__PURE__ */ new Map();
  const targets = sightings.map(reported);
  for (const target of targets) options.onTarget?.(target);
  return {
    ok: targets.length > 0 && targets.every(({ state }) => state === "verified"),
    digest,
    targets,
    variants: (model?.variants ?? []).map((variant) => reportedVariant(variant, elf.get(variant.digest))),
    annotations: model?.index?.annotations ?? {}
  };
}
function compareDigests(sightings, digest, expected) {
  const holder = sightings.find((sighting) => sighting.digest === digest)?.target.name ?? "the others";
  for (const sighting of sightings) {
    if (sighting.digest === void 0 || digest === void 0 || sighting.digest === digest) continue;
    sighting.problems.unshift({
      code: "VERIFY",
      what: `it is ${sighting.digest}, ${expected ? `expected ${digest}` : `while ${holder} has ${digest}`}`,
      where: where(sighting),
      remedy: "One digest in every registry: publish again under a new tag, or find out who pushed the other one."
    });
  }
}
function mostCommon(digests) {
  const count3 = (digest) => digests.filter((other) => other === digest).length;
  return digests.reduce(
    (best, digest) => best === void 0 || count3(digest) > count3(best) ? digest : best,
    void 0
  );
}
function reported({ target, digest, problems: problems6, durationMs, ...rest }) {
  const down = problems6.some(
    ({ code: code3, what }) => code3 === "UNAVAILABLE" && !what.startsWith("without credentials")
  );
  const told2 = problems6.filter(({ what }) => !(down && what.startsWith("without credentials")));
  return {
    name: target.name,
    reference: where({ target, digest, problems: problems6, durationMs, ...rest }),
    state: told2.length === 0 ? "verified" : "failed",
    digest,
    problems: told2,
    durationMs
  };
}
function reportedVariant(variant, elf) {
  const { platform: platform2, digest, manifest, config: config2, size: size2 } = variant;
  return {
    platform: platform2,
    digest,
    configDigest: manifest.config.digest,
    size: size2,
    architecture: config2.architecture,
    labels: config2.config?.Labels ?? {},
    ...elf === void 0 ? {} : { elf }
  };
}

// packages/publishing/src/candidate/annotations.ts
var PREFIX2 = "io.github.tgoai.pipelines";
var CANDIDATE_ANNOTATION = `${PREFIX2}.candidate`;
function proofAnnotations(checks, smokes) {
  return Object.fromEntries([
    ...checks.map(({ platform: platform2, files: files2, elf }) => [
      key("check", platform2),
      `${files2} files, ${elf} ELF, 0 foreign`
    ]),
    ...smokes.map(({ platform: platform2, machine, lines: lines2 }) => [key("smoke", platform2), [machine, ...lines2].join("\n")])
  ]);
}
function readProof(annotations, platform2) {
  const counts = /^(\d+) files, (\d+) ELF/.exec(annotations[key("check", platform2)] ?? "");
  const smoke = annotations[key("smoke", platform2)];
  if (counts === null || smoke === void 0) return void 0;
  const [machine = "", ...lines2] = smoke.split("\n");
  return { platform: platform2, files: Number(counts[1]), elf: Number(counts[2]), machine, lines: lines2 };
}
function key(kind, platform2) {
  return `${PREFIX2}.${kind}.${platform2.replace("/", "-")}`;
}

// packages/publishing/src/publish/copy-by-digest.ts
async function copyByDigest(context, of) {
  const { from, to, service: service2, digest, tag } = of;
  const copied = await context.progress.step(
    { step: "copy", service: service2, registry: to.name },
    () => copyImage({
      from: { registry: from.client, repository: repositoryOf2(from, service2) },
      to: { registry: to.client, repository: repositoryOf2(to, service2) },
      digest,
      tag,
      thorough: true
    })
  );
  return copied.uploaded.bytes;
}

// packages/publishing/src/verify/verify-tag.ts
function verifyTag(context, service2, targets, tag, options) {
  const verify2 = () => verifyImage({
    targets: targets.map((target) => ({
      name: target.name,
      registry: target.client,
      repository: repositoryOf2(target, service2),
      reference: tag,
      ...target.anonymous === void 0 ? {} : { anonymous: target.anonymous }
    })),
    platforms: [...context.platforms],
    expect: {
      ...options.digest === void 0 ? {} : { digest: options.digest },
      ...options.annotations === void 0 ? {} : { annotations: { ...options.annotations } }
    },
    elf: options.elf,
    allowForeign: [...options.allowForeign ?? []]
  });
  if (options.quiet === true) return verify2();
  return context.progress.step({ step: "verify", service: service2 }, verify2, ({ ok, targets: found }) => ({
    state: ok ? "done" : "failed",
    detail: `${found.filter(({ state }) => state === "verified").length} of ${found.length} registries`
  }));
}
function registryRows(targets, service2, tag, verification) {
  return targets.map((target) => {
    const found = verification.targets.find(({ name: name4 }) => name4 === target.name);
    return {
      registry: target.name,
      reference: referenceOf(target, service2, tag),
      state: found?.state ?? "failed",
      digest: found?.digest,
      problems: found?.problems ?? [],
      durationMs: found?.durationMs ?? 0
    };
  });
}
function variantRows(context, verification) {
  return context.platforms.map((platform2) => {
    const variant = verification.variants.find((candidate) => candidate.platform === platform2);
    const proof = readProof(verification.annotations, platform2);
    const elf = variant?.elf;
    return {
      platform: platform2,
      digest: variant?.digest,
      size: variant?.size,
      elf: elf !== void 0 ? { files: elf.files, elf: elf.elf, foreign: elf.foreign.map(({ path }) => path) } : proof && { files: proof.files, elf: proof.elf, foreign: [] },
      smoke: proof && { ok: true, machine: proof.machine, lines: proof.lines, recorded: true }
    };
  });
}

// packages/publishing/src/candidate/find-candidate.ts
var Search = class {
  constructor(context, candidate, rows) {
    this.context = context;
    this.candidate = candidate;
    this.rows = rows;
  }
  context;
  candidate;
  rows;
  /** Where it was found, by what it is called there. */
  #found = /* @__PURE__ */ new Map();
  /**
   * Asks one registry, before anything is built: this also shows a wrong password or a dead registry while nothing is
   * lost. A failure is in the registry's row.
   * @throws TgoError INTERRUPTED
   */
  async ask(target) {
    const { candidate, rows } = this;
    const started = performance.now();
    const tag = candidateTag(candidate.key);
    try {
      const repository = repositoryOf2(target, candidate.service);
      const held = await target.client.resolve(repository, tag, { push: true });
      if (held !== void 0) rows.update(target, { state: "already there", digest: held.digest });
      const under = held === void 0 ? await versionTag(target, candidate) : tag;
      if (under !== void 0) this.#found.set(under, [...this.#found.get(under) ?? [], target]);
    } catch (error2) {
      rows.fail(target, error2, started);
    }
  }
  /** The candidate in one of these registries, as far as they have answered; undefined when none has it whole. */
  async held(among) {
    for (const [reference, found] of this.#found) {
      const places = found.filter((target) => among.includes(target));
      const held = places.length === 0 ? void 0 : await this.#verified(reference, places);
      if (held !== void 0) return held;
    }
    return void 0;
  }
  async #verified(reference, places) {
    const { service: service2, key: key2 } = this.candidate;
    const verification = await verifyTag(this.context, service2, places, reference, {
      quiet: true,
      annotations: { [CANDIDATE_ANNOTATION]: key2 },
      elf: false
    });
    const good = verification.targets.filter(({ state }) => state === "verified");
    for (const { name: name4, digest } of good) {
      const from = places.find((target) => target.name === name4);
      if (from === void 0 || digest === void 0) continue;
      if (!await isAsFinalised(from, service2, digest)) continue;
      const same = good.filter((other) => other.digest === digest && reference === candidateTag(key2));
      const holders = places.filter((target) => same.some((other) => other.name === target.name));
      return { from, digest, holders, verification };
    }
    return void 0;
  }
};
async function isAsFinalised(target, service2, digest) {
  const { bytes } = await target.client.manifest(repositoryOf2(target, service2), digest, { push: true });
  const text2 = new TextDecoder().decode(bytes);
  return canonicalJson2(JSON.parse(text2)) === text2;
}
async function versionTag(target, { service: service2, version: version2, key: key2 }) {
  if (version2 === void 0) return void 0;
  const repository = repositoryOf2(target, service2);
  const held = await target.client.resolve(repository, version2, { push: true });
  if (held === void 0) return void 0;
  await requireSameCandidate(target, { service: service2, version: version2, key: key2 }, { tag: version2, digest: held.digest });
  return version2;
}
async function requireSameCandidate(target, { service: service2, version: version2, key: key2 }, held) {
  const repository = repositoryOf2(target, service2);
  const { value } = await target.client.manifest(repository, held.digest, { push: true });
  const other = value.annotations?.[CANDIDATE_ANNOTATION];
  if (other === key2) return;
  throw new TgoError(
    "CONFLICT",
    `${version2} is there already, made of something else (${other === void 0 ? "no candidate" : candidateTag(other)})`,
    {
      where: referenceOf(target, service2, held.tag),
      remedy: "A version's tag never changes. Release these bytes as the next version; to finish the version that is there, give the source and the pipelines it was made of: its image names the commit."
    }
  );
}

// packages/proof/src/check-variant.ts
var SHOWN = 20;
async function checkVariant(context, service2, { platform: platform2, container }, allow) {
  const actual = await container.platform();
  if (String(actual) !== platform2) {
    throw new TgoError("CHECK", `the ${platform2} variant of ${service2} says it is ${actual}`, {
      remedy: "The base image lacks this platform; choose one that has it."
    });
  }
  const report = await scanRoot(context, container.rootfs(), platform2, allow);
  if (report.foreign.length > 0) throw foreignFiles(report.foreign, platform2, service2);
  if (report.elf === 0) {
    throw new TgoError(
      "CHECK",
      `the ${platform2} variant of ${service2} has no program in it: 0 ELF files in ${report.files}`,
      {
        remedy: "Check the base image: an image without a single ELF file cannot start."
      }
    );
  }
  return { platform: platform2, files: report.files, elf: report.elf };
}
function foreignFiles(foreign2, platform2, service2) {
  const shown = foreign2.slice(0, SHOWN).map(({ path, machine }) => `  ${path} (${machine})`);
  const more = foreign2.length > SHOWN ? [`  and ${foreign2.length - SHOWN} more`] : [];
  const files2 = foreign2.length === 1 ? "1 file" : `${foreign2.length} files`;
  const are = foreign2.length === 1 ? "is" : "are";
  return new TgoError(
    "CHECK",
    [`${files2} of the ${platform2} variant of ${service2} ${are} for another machine:`, ...shown, ...more].join(
      "\n"
    ),
    {
      remedy: "Remove them from the source or build them per platform; files that are data there go into the service's allowForeign in tgo.catalog.json."
    }
  );
}

// packages/proof/src/imports.py
var imports_default = `"""Imports every top-level module of every package installed beside this interpreter, and tells which fail.

Run inside a variant with one argument, JSON {"skip": [module, ...], "seconds": limit of one module}; prints JSON.
The modules are imported in a child process: one that crashes the interpreter, ends it or never returns takes only
its child along, and is known by name. What fails among the others is tried once more alone: packages may disturb
each other, and only one that fails by itself is wrong.
"""

import importlib
import importlib.machinery
import importlib.metadata
import json
import keyword
import os
import re
import select
import signal
import sys
import sysconfig
import time

# By themselves these are no part of a package's interface: wheels carry them along by mistake, and setup.py acts.
NOT_MODULES = {"__pycache__", "test", "tests", "doc", "docs", "example", "examples", "setup", "conftest"}
# Of the standard library until a release after 3.8 (PEP 594, PEP 632): missing, they are no optional package.
REMOVED = "asynchat asyncore cgi cgitb crypt distutils imghdr imp nntplib pipes smtpd sndhdr telnetlib".split()
STANDARD = {*getattr(sys, "stdlib_module_names", sys.builtin_module_names), *REMOVED}
EXTENSIONS = importlib.machinery.EXTENSION_SUFFIXES
SUFFIXES = sorted([*EXTENSIONS, *importlib.machinery.SOURCE_SUFFIXES], key=len, reverse=True)
RETRIES = 10
LONGEST = 300


def stem(name):
    """The module a file is for this interpreter, or None."""
    suffix = next((suffix for suffix in SUFFIXES if name.endswith(suffix)), None)
    return None if suffix is None else name[: -len(suffix)]


def is_name(part):
    return part.isidentifier() and not keyword.iskeyword(part) and part not in NOT_MODULES


def modules_of(files):
    """The outermost modules among a package's files: below a namespace package (PEP 420) those one step in."""
    found = {}
    for *folders, name in files:
        module = stem(name)
        if module is None or not all(map(is_name, folders)):
            continue
        if module == "__init__":
            found[tuple(folders)] = False
        elif is_name(module) and not module.startswith("__") and not module.endswith("__mypyc"):
            found[(*folders, module)] = any(name.endswith(suffix) for suffix in EXTENSIONS)
    found.pop((), None)
    outermost = {
        path: compiled
        for path, compiled in found.items()
        if not any(path[:depth] in found for depth in range(1, len(path)))
    }
    # _yaml beside yaml: not meant to be imported first, and the public one imports it when it needs it.
    public = any(not path[0].startswith("_") for path in outermost)
    return {
        ".".join(path)
        for path, compiled in outermost.items()
        if compiled or not public or not path[0].startswith("_")
    }


def normal(name):
    """https://packaging.python.org/en/latest/specifications/name-normalization/"""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed():
    """Every package beside this interpreter: its name, version, modules, and what it always requires."""
    paths = sysconfig.get_paths()
    packages = {}
    for found in importlib.metadata.distributions(path=sorted({paths["purelib"], paths["platlib"]})):
        name = found.metadata["Name"]
        files = [file.parts for file in found.files or []]
        if files:
            modules = modules_of(parts for parts in files if parts[0] not in ("..", "/"))
        else:
            modules = {line for line in (found.read_text("top_level.txt") or "").split() if is_name(line)}
        requires = [text for text in found.requires or [] if ";" not in text]
        packages[normal(name)] = {
            "label": f"{name} {found.version}",
            "modules": modules,
            "requires": {normal(re.split(r"[^\\w.-]", text.strip(), maxsplit=1)[0]) for text in requires},
        }
    return dict(sorted(packages.items()))


def roots(packages):
    return {module.split(".")[0] for package in packages.values() for module in package["modules"]}


def lacking(error, package, known):
    """The package that is not installed, and need not be, for want of which a module cannot be imported."""
    depth = 0
    while error is not None and not isinstance(error, ModuleNotFoundError) and depth < 10:
        # Raised by hand, to say it more kindly; the loader itself gives the name of what it could not load.
        by_hand = isinstance(error, (ImportError, RuntimeError)) and getattr(error, "name", None) is None
        if not by_hand:
            return None
        error = error.__cause__ or error.__context__
        depth += 1
    name = (getattr(error, "name", None) or "").split(".")[0]
    if name == "" or name in known or name in STANDARD or normal(name) in package["requires"]:
        return None
    return name


def explain(error):
    text = " ".join(str(error).split())
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]}\u2026"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def work(names, owners, known, pipe):
    """The child: imports, and tells each beginning and each end."""

    def tell(**fact):
        os.write(pipe, (json.dumps(fact) + "\\n").encode())

    for name in names:
        tell(begins=name)
        try:
            importlib.import_module(name)
            tell(module=name)
        except SystemExit as end:
            tell(module=name, **({} if end.code in (None, 0) else {"error": f"ends with sys.exit({end.code!r})"}))
        except BaseException as error:
            missing = lacking(error, owners[name], known)
            tell(module=name, **({"error": explain(error)} if missing is None else {"lacks": missing}))


def run(names, owners, known, seconds):
    """Imports names in one child after the other, until each has an outcome; yields (name, outcome)."""
    left = list(names)
    while left:
        reader, writer = os.pipe()
        # A module may print what it likes: this program's own output stays one JSON document.
        output = os.memfd_create("output")
        child = os.fork()
        if child == 0:
            try:
                os.close(reader)
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
                os.dup2(output, 1)
                os.dup2(output, 2)
                work(left, owners, known, writer)
            finally:
                # At once: what a module left running, or registered for the end, is not waited for.
                os._exit(0)
        os.close(writer)
        begun, ended, pending, late = None, set(), b"", False
        deadline = time.monotonic() + seconds
        while True:
            if not select.select([reader], [], [], max(0, deadline - time.monotonic()))[0]:
                late = True
                break
            chunk = os.read(reader, 65536)
            if not chunk:
                break
            *lines, pending = (pending + chunk).split(b"\\n")
            for line in lines:
                fact = json.loads(line)
                begun = fact.get("begins", begun)
                if "module" in fact:
                    ended.add(fact["module"])
                    yield fact.pop("module"), fact
                deadline = time.monotonic() + seconds
        os.close(reader)
        if late:
            os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
        if begun is not None and begun not in ended:
            ended.add(begun)
            yield begun, {"error": f"did not end within {seconds} s" if late else death(status, output)}
        os.close(output)
        left = [name for name in left if name not in ended]


def death(status, output):
    """How the interpreter ended in the middle of an import."""
    how = (
        f"the interpreter crashed ({signal.Signals(os.WTERMSIG(status)).name})"
        if os.WIFSIGNALED(status)
        else f"the interpreter ended with {os.WEXITSTATUS(status)}"
    )
    size = os.fstat(output).st_size
    printed = os.pread(output, 4096, max(0, size - 4096)).decode(errors="replace").strip().splitlines()
    return f"{how}: {printed[-1].strip()}" if printed else how


def main():
    options = json.loads(sys.argv[1])
    skip, seconds = set(options["skip"]), options["seconds"]
    sys.path[:] = [path for path in sys.path if path != os.path.dirname(os.path.abspath(__file__))]
    sys.dont_write_bytecode = True
    packages = installed()
    known = roots(packages)
    owners = {name: package for package in packages.values() for name in package["modules"]}
    names = sorted(name for name in owners if name not in skip)
    outcomes = dict(run(names, owners, known, seconds))
    for name in [name for name, outcome in outcomes.items() if "error" in outcome][:RETRIES]:
        outcomes.update(run([name], owners, known, seconds))
    label = lambda name: {"module": name, "package": owners[name]["label"]}
    report = {
        "packages": len(packages),
        "modules": len(names),
        "skipped": sorted(skip & owners.keys()),
        "lacking": [{**label(name), "lacks": outcomes[name]["lacks"]} for name in names if "lacks" in outcomes[name]],
        "failed": [{**label(name), "error": outcomes[name]["error"]} for name in names if "error" in outcomes[name]],
    }
    print(json.dumps(report))


main()
`;

// packages/proof/src/imports.ts
var PROGRAM2 = "/run/tgo/imports.py";
var SHOWN2 = 10;
function importsRun(container, build2, smoke) {
  const input = JSON.stringify({ skip: smoke.skipImports, seconds: smoke.timeoutSeconds });
  return container.withNewFile(PROGRAM2, imports_default, { permissions: 420 }).withExec([`${build2.environment}/bin/python`, PROGRAM2, input]);
}
function importLines(output2, where2) {
  const report = parse6(output2, where2);
  if (report.failed.length > 0) throw importFailure(report, where2);
  const skipped = report.skipped.length === 0 ? "" : `, skipped: ${report.skipped.join(", ")}`;
  const fine = report.modules - report.lacking.length;
  const lines2 = [`imports: ${count2(fine, "module")} of ${count2(report.packages, "package")} ok${skipped}`];
  if (report.lacking.length > 0) {
    const named = report.lacking.map(({ module, lacks }) => `${module} (needs ${lacks})`);
    lines2.push(`imports: only with packages that are not installed: ${some(named).join(", ")}`);
  }
  return lines2;
}
function parse6(output2, where2) {
  try {
    return JSON.parse(output2);
  } catch (cause) {
    throw new TgoError("INTERNAL", "the imports program did not answer with JSON", { where: where2, cause });
  }
}
function importFailure({ failed, modules }, where2) {
  const lines2 = failed.map((each) => `  ${each.module} (${each.package}): ${each.error}`);
  return new TgoError(
    "SMOKE",
    `${failed.length} of ${modules} modules of the locked packages cannot be imported:
${some(lines2).join("\n")}`,
    { where: where2, remedy: remedyOf2(failed.map(({ error: error2 }) => error2)) }
  );
}
function remedyOf2(errors) {
  const skip = "A module that is not meant to be imported by itself goes into smoke.skipImports in the catalog.";
  const libraries = new Set(
    errors.flatMap((error2) => /(\S+\.so[.\d]*): cannot open shared object file/.exec(error2)?.[1] ?? [])
  );
  if (libraries.size > 0) {
    return `Add the Debian package that brings ${[...libraries].sort().join(", ")} to build.packages in the catalog.`;
  }
  if (errors.some((error2) => error2.startsWith("the interpreter "))) {
    return `Where only the emulated platform crashes, run the same smoke on a machine of that platform: emulation may be what fails. ${skip}`;
  }
  return `Add what it misses: a Debian package with the program or library goes into build.packages. Or choose another version of the Python package. ${skip}`;
}
function count2(number3, noun) {
  return `${number3} ${noun}${number3 === 1 ? "" : "s"}`;
}
function some(texts) {
  const more = texts.length - SHOWN2;
  return more > 0 ? [...texts.slice(0, SHOWN2), `and ${more} more`] : [...texts];
}

// packages/proof/src/smoke-plan.ts
function smokePlan({ build: build2, image, smoke }) {
  return {
    machine: smoke.machine ?? machineCommand(build2),
    exec: [...smoke.exec, ...ownCommands(build2).filter((command) => !includes(smoke.exec, command))],
    imports: build2.strategy === "python" && smoke.imports ? build2 : void 0,
    http: smoke.http.length > 0 ? smoke.http : requestsOf(build2, image)
  };
}
function machineCommand({ strategy }) {
  return strategy === "python" ? ["python", "-c", "import platform; print(platform.machine())"] : ["uname", "-m"];
}
function ownCommands({ strategy }) {
  return strategy === "static-web" ? [["nginx", "-t"]] : [];
}
function includes(commands, command) {
  return commands.some((each) => JSON.stringify(each) === JSON.stringify(command));
}
function requestsOf({ strategy }, { healthcheck, ports }) {
  const address2 = /http:\/\/(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\])(?::(\d+))?(\/[^\s"'`;|&)]*)?/.exec(
    healthcheck?.command.join(" ") ?? ""
  );
  if (address2 !== null) return [{ port: Number(address2[1] ?? 80), path: address2[2] ?? "/", status: 200 }];
  return strategy === "static-web" ? [{ port: ports[0] ?? 80, path: "/", status: 200 }] : [];
}

// packages/proof/src/smoke-variant.ts
var MACHINES3 = { "linux/amd64": "x86_64", "linux/arm64": "aarch64" };
var ALIAS = "service";
var START_SECONDS = 10;
async function smokeVariant(context, name4, service2, { platform: platform2, container: image }) {
  const where2 = `${name4} ${platform2}`;
  const plan = smokePlan(service2);
  const container = Object.entries(service2.smoke.env).reduce(
    (result, [variable, value]) => result.withEnvVariable(variable, value),
    image
  );
  const machine = (await execIn(container, plan.machine, where2)).trim();
  if (machine !== MACHINES3[platform2]) {
    throw new TgoError("SMOKE", `says it runs on "${machine}", not ${MACHINES3[platform2]}`, {
      where: where2,
      remedy: "The image, or the interpreter in it, is for another machine. Check its base image."
    });
  }
  const lines2 = [];
  for (const exec of plan.exec) {
    await execIn(container, exec, where2);
    lines2.push(`${exec.join(" ")}: exit 0`);
  }
  if (plan.imports !== void 0) {
    const output2 = await outputOf(
      importsRun(container, plan.imports, service2.smoke),
      "importing the packages",
      where2
    );
    lines2.push(...importLines(output2, where2));
  }
  if (plan.http.length > 0) {
    const requests = { http: plan.http, timeoutSeconds: service2.smoke.timeoutSeconds };
    lines2.push(...await askServer(context, requests, container, where2));
  } else {
    lines2.push("not started: neither smoke.http nor a health check says what it answers");
  }
  return { platform: platform2, machine, lines: lines2 };
}
function execIn(container, command, where2) {
  return outputOf(container.withExec([...command]), command.join(" "), where2);
}
async function outputOf(run3, what, where2) {
  try {
    return await run3.stdout();
  } catch (error2) {
    throw smokeError(`${what} failed`, where2, error2);
  }
}
async function askServer(context, { http, timeoutSeconds }, container, where2) {
  const [entrypoint, defaults] = await Promise.all([container.entrypoint(), container.defaultArgs()]);
  const args = [...entrypoint, ...defaults];
  if (args.length === 0) {
    throw new TgoError("SMOKE", "has no command to start", {
      where: where2,
      remedy: "Set image.command in the catalog."
    });
  }
  let listening = container.withoutDockerHealthcheck();
  for (const { port } of http) listening = listening.withExposedPort(port);
  const server = listening.asService({ args });
  const tools = (await toolsContainer(context)).withServiceBinding(ALIAS, server);
  const requests = http.map(({ port, path, status }) => ({ url: `http://${ALIAS}:${port}${path}`, status }));
  try {
    const report = await within(
      timeoutSeconds + START_SECONDS,
      probeFrom(tools, { requests, timeoutSeconds })
    );
    if (report === void 0) {
      throw new TgoError(
        "SMOKE",
        `did not start: nothing listens on ${http.map(({ port }) => port).join(", ")}`,
        {
          where: where2,
          remedy: `Start the image by hand and look at its log. It was given ${timeoutSeconds} s (smoke.timeoutSeconds).`
        }
      );
    }
    const lines2 = report.answers.map(({ status, error: error2 }, index) => {
      const { port, path } = http[index] ?? { port: 0, path: "" };
      return `GET :${port}${path} ${status ?? error2 ?? "no answer"}`;
    });
    if (report.ok) return lines2;
    throw new TgoError(
      "SMOKE",
      `did not answer as it should within ${timeoutSeconds} s: ${lines2.join(", ")}`,
      {
        where: where2,
        remedy: "Start the image by hand and look at its log; smoke.http in the catalog says what is expected."
      }
    );
  } catch (error2) {
    throw smokeError("the service did not start", where2, error2);
  } finally {
    await within(
      STOP_SECONDS,
      server.stop({ kill: true }).catch(() => void 0)
    );
  }
}
var STOP_SECONDS = 10;
async function within(seconds, result) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, seconds * 1e3, void 0);
  });
  result.catch(() => void 0);
  return Promise.race([result, late]).finally(() => {
    clearTimeout(timer);
  });
}
function smokeError(what, where2, error2) {
  if (error2 instanceof TgoError) return error2;
  const failure3 = execFailure(error2);
  if (failure3 === void 0)
    return new TgoError("SMOKE", `${what}: ${errorMessage(error2)}`, { where: where2, cause: error2 });
  return new TgoError("SMOKE", `${what}
${lastLines(failure3, 25)}`, {
    where: where2,
    remedy: "The output above is the image's own. Where it says exec format error, emulation is missing.",
    cause: error2
  });
}

// packages/proof/src/build-and-test.ts
async function buildAndTest(context, request, { smoke = true } = {}) {
  const { name: name4, service: service2 } = request;
  const { progress } = context;
  const built = await progress.step(
    { step: "build", service: name4 },
    () => retryIfCanceled(context, () => buildVariants(request)),
    ({ variants: variants2 }) => ({ detail: variants2.map(({ platform: platform2 }) => platform2).join(", ") })
  );
  const proofs = await Promise.all(
    built.variants.map(async (variant) => {
      const { platform: platform2 } = variant;
      const check2 = await progress.step(
        { step: "check", service: name4, platform: platform2 },
        () => retryIfCanceled(context, () => checkVariant(context, name4, variant, service2.allowForeign)),
        ({ files: files2, elf }) => ({ detail: `${files2} files, ${elf} ELF, all for ${platform2}` })
      );
      if (!smoke) return { check: check2, smoke: void 0 };
      const smoked = await progress.step(
        { step: "smoke", service: name4, platform: platform2 },
        () => retryIfCanceled(context, () => smokeVariant(context, name4, service2, variant)),
        ({ machine, lines: lines2 }) => ({ detail: [machine, ...lines2].join("; ") })
      );
      return { check: check2, smoke: smoked };
    })
  );
  return {
    built,
    checks: proofs.map(({ check: check2 }) => check2),
    smokes: proofs.flatMap((proof) => proof.smoke ?? [])
  };
}
async function retryIfCanceled(context, run3) {
  try {
    return await run3();
  } catch (error2) {
    if (context.signal?.aborted === true || !errorMessage(error2).includes("context canceled")) throw error2;
    return run3();
  }
}

// packages/publishing/src/candidate/upload-variants.ts
async function uploadVariants(context, target, service2, variants2, tag) {
  const [first, ...others] = variants2;
  if (first === void 0) throw new Error("no variant to upload");
  let container = first.container;
  const { credentials } = target;
  if (credentials !== void 0 && "password" in credentials) {
    const secret = context.client.setSecret(`registry-password-${target.name}`, credentials.password);
    container = container.withRegistryAuth(target.registry.host, credentials.username, secret);
  }
  return container.publish(referenceOf(target, service2, tag), {
    platformVariants: others.map((variant) => variant.container),
    ...target.service === void 0 ? {} : { registryService: target.service }
  });
}

// packages/publishing/src/candidate/build-candidate.ts
async function buildCandidate(context, prepared) {
  const { name: name4, source } = prepared.request;
  const { built, checks, smokes } = await buildAndTest(context, prepared.request);
  const staging = stagingTag(prepared.key);
  const labels = standardLabels(prepared.request);
  const finalise = (from) => context.progress.step(
    { step: "finalise", service: name4 },
    () => finaliseImage({
      source: { ...from, reference: staging },
      platforms: [...context.platforms],
      created: source.created,
      annotations: { ...labels, [CANDIDATE_ANNOTATION]: prepared.key, ...proofAnnotations(checks, smokes) },
      manifestAnnotations: labels,
      // The engine's own lines differ from run to run.
      history: "drop"
    })
  );
  const finalised = new Finalised();
  return {
    notes: built.notes,
    deliver: async (target) => {
      await context.progress.step(
        { step: "upload", service: name4, registry: target.name },
        () => uploadVariants(context, target, name4, built.variants, staging)
      );
      const from = { registry: target.client, repository: repositoryOf2(target, name4) };
      return { image: await finalised.by(() => finalise(from)), from };
    }
  };
}
var Finalised = class {
  #attempts = [];
  #image;
  async by(finalise) {
    if (this.#image !== void 0) return this.#image;
    const own2 = finalise();
    this.#attempts.push(own2);
    this.#image = await Promise.any(this.#attempts).catch(() => own2);
    return this.#image;
  }
};

// packages/publishing/src/publish/grace-period.ts
import { setTimeout as delay2 } from "node:timers/promises";
var GRACE_PERIOD_MS = 5e3;
async function within2(work, milliseconds) {
  const stop = new AbortController();
  const ended = work.then(
    () => true,
    () => true
  );
  const over = delay2(milliseconds, false, { signal: stop.signal }).catch(() => false);
  const first = await Promise.race([ended, over]);
  stop.abort();
  return first;
}
function promised() {
  let keep = () => void 0;
  const promise = new Promise((resolve) => {
    keep = resolve;
  });
  return {
    promise,
    keep: (value) => {
      keep(value);
    }
  };
}

// packages/publishing/src/publish/registry-rows.ts
var RegistryRows = class {
  constructor(context, service2, tag) {
    this.context = context;
    this.service = service2;
    this.#rows = new Map(context.targets.map((target) => [target.name, notStarted(target, service2, tag)]));
  }
  context;
  service;
  #rows;
  /** In the order of the registries. */
  all() {
    return [...this.#rows.values()];
  }
  of(target) {
    return this.#rows.get(target.name) ?? notStarted(target, this.service);
  }
  hasFailed(target) {
    return this.of(target).state === "failed";
  }
  update(target, change2) {
    this.#rows.set(target.name, { ...this.of(target), ...change2 });
  }
  /** Adds to the time that was spent on a registry. */
  spent(target, started) {
    return this.of(target).durationMs + Math.round(performance.now() - started);
  }
  /** @throws TgoError INTERRUPTED: that is no registry's fault */
  fail(target, error2, started) {
    const stopped = interrupted(this.context);
    if (stopped !== void 0) throw stopped;
    const problems6 = [problemOf2(isTgoError(error2) ? error2 : unexpected(target, error2))];
    this.update(target, { state: "failed", problems: problems6, durationMs: this.spent(target, started) });
  }
  /** What a verification saw. A registry that passed stays what it was before: done, or already there. */
  verified(targets, tag, verification) {
    for (const row of registryRows(targets, this.service, tag, verification)) {
      const target = targets.find(({ name: name4 }) => name4 === row.registry);
      if (target === void 0) continue;
      const before = this.of(target);
      const state = before.state === "not started" ? "done" : before.state;
      this.update(target, {
        ...row,
        state: row.state === "verified" ? state : row.state,
        uploaded: before.uploaded,
        durationMs: before.durationMs + row.durationMs
      });
    }
  }
};
function unexpected(target, error2) {
  return new TgoError("UNAVAILABLE", errorMessage(error2), {
    where: target.registry.host,
    remedy: "Check that the registry answers and that the credentials may push, then run the same command again.",
    cause: error2
  });
}

// packages/publishing/src/publish/publish.ts
async function publishService(context, name4, service2, options) {
  return settled(await bringService(context, name4, service2, options));
}
async function bringService(context, name4, service2, options) {
  const bring2 = async () => {
    const prepared = await prepareCandidate(context, name4, service2, options);
    return bringCandidate(context, candidateOf(context, prepared));
  };
  return attempt(
    context,
    name4,
    bring2,
    context.targets.map((target) => notStarted(target, name4))
  );
}
function candidateOf(context, prepared) {
  const { name: name4, source, version: version2 } = prepared.request;
  return {
    service: name4,
    key: prepared.key,
    revision: source.revision,
    notes: commitNotes(source),
    version: version2,
    make: () => buildCandidate(context, prepared)
  };
}
var RegistriesFailed = class extends Error {
};
async function bringCandidate(context, candidate) {
  const started = performance.now();
  const { service: service2, revision } = candidate;
  const tag = candidateTag(candidate.key);
  const run3 = { context, candidate, tag, rows: new RegistryRows(context, service2, tag) };
  const search = new Search(context, candidate, run3.rows);
  const { needed, others } = splitByRequired(context);
  const source = promised();
  const asked = needed.map((target) => search.ask(target));
  const late = others.map((target) => {
    const answer = search.ask(target);
    return { target, answer, row: bringLate(run3, target, answer, source.promise) };
  });
  const rest = {
    service: service2,
    revision,
    tag,
    late: new Map(late.map(({ target, row }) => [target.name, row])),
    durationMs: 0
  };
  try {
    await Promise.all(asked);
    if (context.targets.some((target) => target.registry.required && run3.rows.hasFailed(target)))
      throw new RegistriesFailed();
    const held = await search.held(needed) ?? await heldElsewhere(
      run3,
      search,
      late.map(({ target, answer }) => ({ target, answer }))
    );
    const from = held === void 0 ? await making(run3) : copying(run3, held);
    source.keep(from);
    const { digest, verification } = await bringAll(run3, needed, from, held);
    const failed = needed.some((target) => !isThere(run3.rows.of(target)));
    return {
      ...rest,
      state: failed ? "failed" : held === void 0 ? "published" : "already there",
      digest,
      variants: variantRows(context, verification).map((variant) => ({
        ...variant,
        smoke: variant.smoke && { ...variant.smoke, recorded: held !== void 0 }
      })),
      registries: run3.rows.all(),
      problems: [],
      notes: [...from.notes, ...candidate.notes],
      durationMs: since(started)
    };
  } catch (error2) {
    return {
      ...rest,
      state: "failed",
      variants: [],
      registries: run3.rows.all(),
      problems: error2 instanceof RegistriesFailed ? [] : [problemOf2(interrupted(context) ?? error2)],
      notes: [],
      durationMs: since(started)
    };
  } finally {
    source.keep(void 0);
  }
}
async function heldElsewhere({ context }, search, late) {
  if (late.length === 0) return void 0;
  const looked = Promise.all(late.map(({ answer }) => answer)).then(
    () => search.held(late.map(({ target }) => target))
  );
  return await within2(looked, context.gracePeriodMs ?? GRACE_PERIOD_MS) ? looked : void 0;
}
async function bringAll(run3, needed, from, held) {
  const { rows, tag } = run3;
  const holders = needed.filter((target) => held?.holders.includes(target) === true);
  if (held !== void 0) rows.verified(holders, tag, held.verification);
  const lacking = needed.filter((target) => !holders.includes(target));
  const brought = await Promise.all(lacking.map((target) => bring(run3, target, from)));
  const digest = held?.digest ?? brought.find((one) => one !== void 0);
  if (digest === void 0) throw new RegistriesFailed();
  const reached = lacking.filter((target) => !rows.hasFailed(target));
  if (reached.length === 0 && held !== void 0) return { digest, verification: held.verification };
  return { digest, verification: await verify(run3, reached, digest) };
}
async function bringLate(run3, target, answer, source) {
  const { rows } = run3;
  const started = performance.now();
  try {
    await answer;
    const held = await heldWhole(run3, target);
    const from = await source;
    if (from !== void 0 && !rows.hasFailed(target) && (held === void 0 || held !== from.digest)) {
      const digest = await bring(run3, target, from);
      if (digest !== void 0) await verify(run3, [target], digest);
    }
  } catch (error2) {
    const problem3 = problemOf2(interrupted(run3.context) ?? error2);
    rows.update(target, { state: "failed", problems: [problem3], durationMs: since(started) });
  }
  return rows.of(target);
}
async function heldWhole(run3, target) {
  const { digest } = run3.rows.of(target);
  if (digest === void 0 || run3.rows.hasFailed(target)) return void 0;
  if ((await verify(run3, [target], digest)).ok) return digest;
  run3.rows.update(target, { state: "not started", problems: [] });
  return void 0;
}
async function bring({ rows }, target, from) {
  if (rows.hasFailed(target)) return void 0;
  const started = performance.now();
  try {
    const { digest, ...sent3 } = await from.put(target);
    rows.update(target, { state: "done", ...sent3, durationMs: rows.spent(target, started) });
    return digest;
  } catch (error2) {
    rows.fail(target, error2, started);
    return void 0;
  }
}
async function verify({ context, candidate, rows, tag }, targets, digest) {
  const verification = await verifyTag(context, candidate.service, targets, tag, {
    digest,
    annotations: { [CANDIDATE_ANNOTATION]: candidate.key },
    elf: false
  });
  rows.verified(targets, tag, verification);
  return verification;
}
function copying({ context, candidate: { service: service2 }, tag }, { from, digest }) {
  return {
    digest,
    notes: [],
    put: async (to) => ({
      digest,
      uploaded: await copyByDigest(context, { from, to, service: service2, digest, tag })
    })
  };
}
async function making({ context, candidate, tag }) {
  const { service: service2 } = candidate;
  const made2 = await candidate.make();
  return {
    notes: made2.notes,
    put: async (target) => {
      const { image, from } = await made2.deliver(target);
      await context.progress.step(
        { step: "tag", service: service2, registry: target.name },
        () => pushImage(image, {
          to: { registry: target.client, repository: repositoryOf2(target, service2) },
          from,
          tag,
          thorough: true
        })
      );
      return { digest: image.digest };
    }
  };
}
function isThere({ state }) {
  return state !== "failed" && state !== "not started";
}
function since(started) {
  return Math.round(performance.now() - started);
}

// packages/publishing/src/preflight/inputs.ts
async function readInputs(context, name4, service2, options) {
  const { value: request, problems: problems6 } = await checked(() => openRequest(context, name4, service2, options));
  if (request === void 0) {
    const bases = await checkBases(context, catalogImages(context, service2.build));
    return { request, prepared: void 0, problems: [...problems6, ...bases] };
  }
  const unreleasable = await problemsOf(() => {
    refuseUnreleasable(request);
  });
  const completed = await checked(() => keyOf2(context, request));
  const incomplete = completed.value === void 0 ? await checkAllBases(request) : [];
  return {
    request,
    prepared: completed.value,
    problems: [...unreleasable, ...completed.problems, ...incomplete]
  };
}
async function checkBuild(request) {
  const found = await Promise.all(inputChecks(request).map((check2) => problemsOf(() => check2)));
  return found.flat();
}
async function checkAllBases(request) {
  const { value } = await checked(() => buildBases(request));
  return checkBases(request.context, value?.images ?? []);
}
async function checkBases(context, images) {
  const found = await Promise.all(
    images.map(({ reference, platform: platform2 }) => problemsOf(() => baseImage(context, reference, platform2)))
  );
  return found.flat();
}

// packages/publishing/src/preflight/registry.ts
var PATIENCE = { timeoutMs: 5e3, retries: 1, totalMs: 1e4 };
function withShortTimeouts(target) {
  return { ...target, client: target.client.withPatience(PATIENCE) };
}
async function checkRegistry(target, subject) {
  const started = performance.now();
  const repository = repositoryOf2(target, subject.service);
  let durationMs = 0;
  const [pushed, found] = await Promise.all([
    checked(async () => {
      const sent3 = Date.now();
      const { date: date4 } = await target.client.probePush(repository);
      return date4 && skewSeconds(date4, sent3, Date.now());
    }).finally(() => {
      durationMs = Math.round(performance.now() - started);
    }),
    checked(() => findImage(target, subject))
  ]);
  const problems6 = withRemedy(oneOfEach([...pushed.problems, ...found.problems]), remedyFor2(target));
  const state = problems6.length > 0 ? "failed" : found.value === void 0 ? "ready" : "already there";
  return {
    report: {
      ...notStarted(target, subject.service),
      state,
      digest: found.value,
      problems: problems6,
      durationMs
    },
    skew: pushed.value === void 0 ? void 0 : { registry: target.name, host: target.registry.host, seconds: pushed.value },
    holds: found.value !== void 0
  };
}
function remedyFor2(target) {
  return `Create the namespace (and, where the registry wants that, the repository) at ${target.registry.host}, or correct registries.${target.name} of tgo.catalog.json.`;
}
async function findImage(target, { service: service2, version: version2, key: key2 }) {
  const repository = repositoryOf2(target, service2);
  const resolve = async (tag) => {
    const held = await target.client.resolve(repository, tag, { push: true });
    return held === void 0 ? [] : [{ tag, digest: held.digest }];
  };
  const [versions, known] = await Promise.all([
    version2 === void 0 ? [] : versionTags(target, service2, version2).then((tags2) => Promise.all(tags2.map(resolve))),
    key2
  ]);
  if (known === void 0) return void 0;
  const [first] = versions.flat();
  if (version2 !== void 0 && first !== void 0) {
    await requireSameCandidate(target, { service: service2, version: version2, key: known }, first);
    return first.digest;
  }
  return (await resolve(candidateTag(known)))[0]?.digest;
}
async function versionTags(target, service2, version2) {
  const listed2 = await target.client.tags(repositoryOf2(target, service2));
  const spelled = listed2.filter((tag) => {
    const kind = kindOfTag(tag, service2);
    return kind.kind === "version" && kind.version.text === version2;
  });
  return [.../* @__PURE__ */ new Set([version2, ...spelled])];
}

// packages/publishing/src/preflight/service.ts
async function checkService(context, name4, service2, options) {
  const started = performance.now();
  const inputs = readInputs(context, name4, service2, options);
  const key2 = inputs.then(({ prepared: prepared2 }) => prepared2?.key);
  const asked = checkRegistries(
    context,
    { service: name4, version: options.version, key: key2 },
    options.patient,
    inputs
  );
  const unbuildable = inputs.then(async ({ request }) => {
    const needless = request === void 0 || options.patient && (await asked).some(({ holds }) => holds);
    return needless ? [] : checkBuild(request);
  });
  const [{ prepared, problems: unread }, standings, others] = await Promise.all([inputs, asked, unbuildable]);
  const stopped = interrupted(context);
  if (stopped !== void 0) throw stopped;
  const problems6 = withRemedy(distinct([...unread, ...others]), MEND);
  const held = standings.find(({ holds }) => holds);
  return {
    report: {
      service: name4,
      state: problems6.length > 0 || standings.some((standing) => isBlocked(context, standing)) ? "failed" : "ready",
      revision: prepared?.request.source.revision,
      tag: prepared === void 0 ? void 0 : candidateTag(prepared.key),
      digest: held?.report.digest,
      variants: [],
      registries: standings.map(({ report }) => report),
      problems: problems6,
      notes: prepared === void 0 ? [] : candidateOf(context, prepared).notes,
      durationMs: Math.round(performance.now() - started)
    },
    prepared,
    skews: standings.flatMap(({ skew }) => skew ?? []),
    toBuild: held === void 0
  };
}
var MEND = "Mend it in the service's source, or in its definition in tgo.catalog.json, and ask again.";
function isBlocked(context, { report }) {
  return report.state === "failed" && splitByRequired(context).needed.some(({ name: name4 }) => name4 === report.registry);
}
async function checkRegistries(context, subject, patient, others) {
  const { needed } = splitByRequired(context);
  const asked = context.targets.map((target) => ({
    target,
    standing: checkRegistry(patient && needed.includes(target) ? target : withShortTimeouts(target), subject)
  }));
  const waitedFor = Promise.all([
    others,
    ...asked.filter(({ target }) => needed.includes(target)).map(({ standing }) => standing)
  ]);
  return Promise.all(
    asked.map(({ target, standing }) => {
      if (!patient || needed.includes(target)) return standing;
      const unknown2 = { report: notStarted(target, subject.service), skew: void 0, holds: false };
      return Promise.race([standing, waitedFor.then(() => unknown2)]);
    })
  );
}

// packages/publishing/src/preflight/index.ts
async function preflight(context, services, options) {
  const checked2 = await Promise.all(
    services.map(
      ({ name: name4, service: service2 }) => context.progress.step(
        { step: "preflight", service: name4 },
        () => checkService(context, name4, service2, options),
        ({ report }) => ({ state: report.state === "ready" ? "done" : "failed" })
      )
    )
  );
  const builds = checked2.filter(({ toBuild }) => toBuild).length;
  const engine = builds === 0 ? { stopping: [], told: [] } : await checkEngine(context, builds);
  const clock = clockProblems(checked2.flatMap(({ skews }) => skews));
  const mayBegin = engine.stopping.length === 0 && checked2.every(({ report }) => report.state === "ready");
  const told2 = checked2.flatMap(({ report }) => report.problems);
  return {
    services: checked2.map(({ report }) => report),
    problems: notReported([...engine.stopping, ...engine.told, ...clock], told2),
    ready: mayBegin && engine.told.length === 0 && clock.length === 0,
    mayBegin,
    prepared: new Map(
      checked2.flatMap(({ prepared }) => prepared ? [[prepared.request.name, prepared]] : [])
    )
  };
}
async function preflightRegistries(context, services) {
  const nothing2 = Promise.resolve(void 0);
  const checked2 = await Promise.all(
    services.map(async (service2) => {
      const started = performance.now();
      const subject = { service: service2, version: void 0, key: nothing2 };
      const standings = await checkRegistries(context, subject, true, nothing2);
      const registries3 = standings.map(({ report: report2 }) => report2);
      const report = {
        service: service2,
        state: standings.some((standing) => isBlocked(context, standing)) ? "failed" : "ready",
        variants: [],
        registries: registries3,
        problems: [],
        notes: [],
        durationMs: Math.round(performance.now() - started)
      };
      return { report, skews: standings.flatMap(({ skew }) => skew ?? []) };
    })
  );
  const stopped = interrupted(context);
  if (stopped !== void 0) throw stopped;
  return {
    services: checked2.map(({ report }) => report),
    problems: clockProblems(checked2.flatMap(({ skews }) => skews)),
    mayBegin: checked2.every(({ report }) => report.state === "ready")
  };
}

// packages/publishing/src/promote/promote.ts
function bringVersion(context, service2, version2) {
  const run3 = { context, service: service2, version: version2, rows: new RegistryRows(context, service2, version2) };
  const { needed, others } = splitByRequired(context);
  const image = promised();
  const asked = needed.map((target) => ({ target, answer: ask2(run3, target) }));
  const late = others.map((target) => {
    const answer = ask2(run3, target);
    return { target, answer, row: bringLate2(run3, target, answer, image.promise) };
  });
  const rows = new Map(late.map(({ target, row }) => [target.name, row]));
  const bring2 = async () => {
    const found = await findImage2(run3, asked, late);
    image.keep(found);
    await Promise.all(asked.map(async ({ target, answer }) => bringOne(run3, target, await answer, found)));
    const registries3 = run3.rows.all();
    const needs = registries3.filter(({ registry: registry2 }) => needed.some(({ name: name4 }) => name4 === registry2));
    return {
      service: service2,
      state: needs.every(({ state }) => state === "already there") ? "already there" : "published",
      revision: found.verification.annotations["org.opencontainers.image.revision"],
      tag: found.tag,
      digest: found.digest,
      variants: variantRows(context, found.verification),
      registries: registries3,
      problems: [],
      notes: [],
      late: rows,
      durationMs: 0
    };
  };
  return attempt(context, service2, bring2).then((brought) => {
    image.keep(void 0);
    return { ...brought, registries: run3.rows.all(), late: rows };
  });
}
function nowhere(services) {
  const [problem3, ...others] = services.map(({ problems: problems6 }) => problems6[0]);
  const answered = services.every(({ registries: registries3 }) => registries3.every(({ state }) => state !== "failed"));
  if (!answered || problem3?.code !== "NOT_FOUND") return void 0;
  return others.every((other) => other?.what === problem3.what) ? problem3 : void 0;
}
async function ask2({ context, service: service2, version: version2, rows }, target) {
  const started = performance.now();
  try {
    const found = await target.client.resolve(repositoryOf2(target, service2), version2, { push: true });
    return found?.digest;
  } catch (error2) {
    if (interrupted(context) === void 0) rows.fail(target, error2, started);
    return void 0;
  }
}
async function findImage2(run3, asked, late) {
  const own2 = await wholeImage(run3, asked);
  if (own2 !== void 0) return own2;
  const looked = wholeImage(run3, late);
  const patience = run3.context.gracePeriodMs ?? GRACE_PERIOD_MS;
  const elsewhere = late.length > 0 && await within2(looked, patience) ? await looked : void 0;
  if (elsewhere === void 0) throw await notThere(run3, asked);
  return elsewhere;
}
async function wholeImage({ context, service: service2, version: version2 }, asked) {
  const answers = await Promise.all(
    asked.map(async ({ target, answer }) => ({ target, digest: await answer }))
  );
  const holders = answers.flatMap(({ target, digest: digest2 }) => digest2 === void 0 ? [] : [target]);
  if (holders.length === 0) return void 0;
  const verification = await verifyTag(context, service2, holders, version2, { elf: false });
  const { digest, annotations } = verification;
  const good = verification.targets.find((one) => one.state === "verified" && one.digest === digest);
  const from = holders.find(({ name: name4 }) => name4 === good?.name);
  if (from === void 0 || digest === void 0) return void 0;
  const key2 = annotations[CANDIDATE_ANNOTATION];
  return { from, digest, tag: key2 === void 0 ? version2 : candidateTag(key2), verification };
}
async function bringOne(run3, target, held, image) {
  const { context, service: service2, version: version2, rows } = run3;
  if (rows.hasFailed(target)) return;
  const { from, digest, tag } = image;
  const verify2 = async (reference) => {
    const verification = await verifyTag(context, service2, [target], reference, {
      digest,
      elf: false,
      quiet: true
    });
    rows.verified([target], reference, verification);
  };
  const seen2 = image.verification.targets.find(({ name: name4 }) => name4 === target.name);
  rows.update(target, { state: held === void 0 ? "not started" : "already there" });
  if (held !== void 0 && seen2 !== void 0) rows.verified([target], version2, image.verification);
  else if (held !== void 0) await verify2(version2);
  if (held !== void 0 && (held !== digest || !rows.hasFailed(target))) return;
  if (from === target) return;
  const started = performance.now();
  try {
    const uploaded = await copyByDigest(context, { from, to: target, service: service2, digest, tag });
    rows.update(target, { state: "done", problems: [], uploaded, durationMs: rows.spent(target, started) });
    await verify2(held === void 0 ? tag : version2);
  } catch (error2) {
    rows.fail(target, error2, started);
  }
}
async function bringLate2(run3, target, answer, image) {
  const { context, rows } = run3;
  try {
    const held = await answer;
    const found = await image;
    if (found !== void 0) await bringOne(run3, target, held, found);
  } catch (error2) {
    rows.update(target, { state: "failed", problems: [problemOf2(interrupted(context) ?? error2)] });
  }
  return rows.of(target);
}
async function notThere({ service: service2, version: version2, rows }, asked) {
  const broken2 = [];
  for (const { target, answer } of asked) if (await answer !== void 0) broken2.push(target.name);
  if (broken2.length > 0) {
    return new TgoError(
      "VERIFY",
      `${version2} of ${service2} is whole in no registry (it is in ${broken2.join(", ")})`,
      {
        remedy: `See what is missing: tgo verify --service ${service2} --tag ${version2}. The release's own command brings it again.`
      }
    );
  }
  const silent = asked.filter(({ target }) => rows.hasFailed(target)).map(({ target }) => target.name);
  const but = silent.length === 0 ? "" : ` that could be asked (not ${silent.join(", ")})`;
  return new TgoError("NOT_FOUND", `no registry${but} has version ${version2}`, {
    remedy: `Release it first: tgo release --version ${version2}. What is out is shown by tgo status.`
  });
}

// packages/publishing/src/prune/prune.ts
function prune(context, services, options) {
  return Promise.all(
    services.flatMap(
      ({ name: name4 }) => context.targets.map(
        (target) => context.progress.step(
          { step: "prune", service: name4, registry: target.name },
          () => pruneOne(target, name4, options)
        )
      )
    )
  );
}
async function pruneOne(target, service2, options) {
  const place2 = { service: service2, registry: target.name };
  const removed = [];
  let selection = { remove: [], keep: [] };
  try {
    selection = selectPrunable(await tagsOf4(target, service2), options);
    if (options.remove && selection.remove.length > 0) {
      const again = selectPrunable(await tagsOf4(target, service2), options);
      for (const { digest } of again.remove) {
        if (!selection.remove.some((one) => one.digest === digest)) continue;
        await target.client.deleteManifest(repositoryOf2(target, service2), digest);
        removed.push(digest);
      }
    }
    return { ...place2, selection, removed, problem: void 0 };
  } catch (error2) {
    if (isTgoError(error2) && error2.code === "INTERRUPTED") throw error2;
    return { ...place2, selection, removed, problem: problemOf2(error2) };
  }
}
async function tagsOf4(target, service2) {
  const repository = repositoryOf2(target, service2);
  const times = /* @__PURE__ */ new Map();
  const created = (digest) => {
    const time3 = times.get(digest) ?? createdOf2(target, repository, digest);
    times.set(digest, time3);
    return time3;
  };
  const tags2 = await Promise.all(
    (await target.client.tags(repository)).map(async (tag) => {
      const digest = (await target.client.resolve(repository, tag, { push: true }))?.digest;
      const { kind } = kindOfTag(tag, service2);
      return digest === void 0 ? [] : [{ tag, digest, created: kind === "candidate" ? await created(digest) : void 0 }];
    })
  );
  return tags2.flat();
}
async function createdOf2(target, repository, digest) {
  const { value } = await target.client.manifest(repository, digest, { push: true });
  const annotated = value.annotations?.["org.opencontainers.image.created"];
  if (annotated !== void 0) return dateOf2(annotated);
  const child = isIndex(value) ? value.manifests[0]?.digest : digest;
  if (child === void 0) return void 0;
  return dateOf2(
    await configTime(target, repository, await target.client.manifest(repository, child, { push: true }))
  );
}
async function configTime(target, repository, { value }) {
  if (isIndex(value)) return void 0;
  const config2 = await new Response(await target.client.blob(repository, value.config.digest)).json();
  return config2?.created;
}
function dateOf2(text2) {
  const date4 = new Date(typeof text2 === "string" ? text2 : Number.NaN);
  return Number.isNaN(date4.getTime()) ? void 0 : date4;
}

// packages/publishing/src/release/release-ledger.ts
var AGAIN = 1;
var ReleaseLedger = class {
  #first = /* @__PURE__ */ new Map();
  #last = /* @__PURE__ */ new Map();
  /** Writes of this run that failed, by their names: they are for the next run. */
  #failed = /* @__PURE__ */ new Map();
  /** Writes of this run, with what was there before. */
  #done = /* @__PURE__ */ new Map();
  /** Those of them that no look has come after. */
  #unseen = /* @__PURE__ */ new Set();
  #lost = /* @__PURE__ */ new Map();
  see(sights) {
    for (const sight of sights) {
      const name4 = `${sight.registry} ${sight.service}`;
      if (!this.#first.has(name4)) this.#first.set(name4, sight);
      this.#last.set(name4, sight);
      for (const written of this.#unseen) if (written.startsWith(`${name4} `)) this.#unseen.delete(written);
    }
  }
  /** As the registries were when this run first looked at each. */
  get start() {
    return [...this.#first.values()];
  }
  get now() {
    return [...this.#last.values()];
  }
  wrote(step) {
    const name4 = nameOf3(step);
    if (!this.#done.has(name4)) this.#done.set(name4, step.before);
    this.#unseen.add(name4);
  }
  failed(step, error2) {
    this.#failed.set(nameOf3(step), problemOf2(error2));
  }
  /** Somebody else wrote the tag: it is decided anew, and once more is a failure. */
  lost(step, told2, error2) {
    const name4 = nameOf3(step);
    const before = this.#lost.get(name4) ?? [];
    this.#lost.set(name4, [...before, told2]);
    if (error2 !== void 0 && before.length >= AGAIN) this.failed(step, error2);
  }
  problem(step) {
    return this.#failed.get(nameOf3(step));
  }
  /** Whether this run wrote it, and what was there before. */
  written(step) {
    const name4 = nameOf3(step);
    return this.#done.has(name4) ? { before: this.#done.get(name4) } : void 0;
  }
  /** Whether this run wrote it, read it back, and was stopped before it looked at everything again. */
  isUnseen(step) {
    return this.#unseen.has(nameOf3(step));
  }
  /** Races that were lost for a service's tags, one line each. */
  races(service2) {
    return [...this.#lost].flatMap(([name4, told2]) => {
      const [registry2 = "", of] = name4.split(" ");
      return of === service2 ? told2.map((line) => `${registry2}: ${line}; it was looked at and decided again`) : [];
    });
  }
};
function nameOf3({ registry: registry2, service: service2, tag }) {
  return `${registry2} ${service2} ${tag}`;
}

// packages/publishing/src/release/gate-entry.ts
async function gateEntry(target, of) {
  const { service: service2 } = of.report;
  return {
    service: service2,
    registry: target.name,
    candidate: await candidateOf2(target, of),
    versionTag: versionTagOf(of.sights, of.version, service2, target.name)
  };
}
async function candidateOf2(target, { report, row, indexes }) {
  const digest = row?.digest;
  if (row === void 0 || digest === void 0 || row.state === "failed" || row.state === "not started") {
    const why = row?.problems[0]?.what;
    return why === void 0 ? { state: "missing", why: report.problems[0]?.what.split("\n")[0] } : { state: "failed", why };
  }
  try {
    return { state: "verified", digest, ...await indexes.facts(target, report.service, digest) };
  } catch (error2) {
    if (isTgoError(error2) && error2.code === "INTERRUPTED") throw error2;
    return { state: "failed", why: isTgoError(error2) ? error2.what : errorMessage(error2) };
  }
}
function versionTagOf(sights, version2, service2, registry2) {
  const sight = snapshotOf(sights, service2, registry2);
  if (sight.state !== "seen") return { state: "unknown", why: sight.why };
  const held = tagOfVersion(sight.tags, version2, service2);
  return held === void 0 ? { state: "absent" } : { state: "held", digest: held.digest };
}

// packages/publishing/src/release/read-tags.ts
var IndexCache = class {
  #known = /* @__PURE__ */ new Map();
  /** What the image says of itself. */
  async facts(target, service2, digest) {
    const annotations = (await this.read(target, service2, digest)).value.annotations ?? {};
    return {
      version: annotations["org.opencontainers.image.version"],
      revision: annotations["org.opencontainers.image.revision"]
    };
  }
  async read(target, service2, digest) {
    const known = this.#known.get(digest);
    if (known !== void 0) return known;
    const reading = target.client.manifest(repositoryOf2(target, service2), digest, { push: true });
    this.#known.set(digest, reading);
    reading.catch(() => this.#known.delete(digest));
    return reading;
  }
};
function readTags(context, wanted2, indexes, { versions = "needed" } = {}) {
  return Promise.all(
    context.targets.flatMap(
      (target) => wanted2.map(async (of) => {
        const place2 = { service: of.service, registry: target.name };
        try {
          return {
            ...place2,
            held: { state: "seen", tags: tagTargets(await seen(target, of, indexes, versions), of.service) }
          };
        } catch (error2) {
          if (isTgoError(error2) && error2.code === "INTERRUPTED") throw error2;
          const why = isTgoError(error2) ? error2.what : errorMessage(error2);
          return { ...place2, held: { state: "unreachable", why } };
        }
      })
    )
  );
}
async function seen(target, { service: service2, tags: tags2, known: knownIn }, indexes, versions) {
  const repository = repositoryOf2(target, service2);
  const resolve = async (tag) => {
    const found = await target.client.resolve(repository, tag, { push: true });
    return found === void 0 ? [] : [{ tag, digest: found.digest }];
  };
  const [listed2, ...asked] = await Promise.all([target.client.tags(repository), ...tags2.map(resolve)]);
  const known = asked.flat();
  const kinds = listed2.filter((tag) => !tags2.includes(tag)).map((tag) => ({ tag, ...kindOfTag(tag, service2) }));
  const lines2 = versions === "all" ? kinds.filter(({ kind }) => FLOATING.has(kind)) : [];
  const others = await Promise.all(lines2.map(({ tag }) => resolve(tag)));
  const floating = [...known, ...others.flat()].filter(({ tag }) => isFloating(kindOfTag(tag, service2)));
  const annotated = await Promise.all(
    floating.map(async ({ tag, digest }) => ({
      tag,
      digest,
      annotation: (await indexes.facts(target, service2, digest)).version
    }))
  );
  const silent = annotated.some(({ annotation }) => annotation === void 0);
  const asking = new Set(tags2.flatMap((tag) => versionText(tag, service2) ?? []));
  const before = knownIn?.(target.name);
  const isNew = (version2) => before !== void 0 && !before.has(version2);
  const resolved = await Promise.all(
    kinds.filter(({ kind }) => kind === "version").map(async ({ tag }) => {
      const version2 = versionText(tag, service2) ?? "";
      const needed = asking.has(version2) || isNew(version2);
      return versions === "all" || silent || needed ? resolve(tag) : [{ tag, digest: `unread:${tag}` }];
    })
  );
  return [
    ...known.filter(({ tag }) => !isFloating(kindOfTag(tag, service2))),
    ...annotated,
    ...resolved.flat()
  ];
}
var FLOATING = /* @__PURE__ */ new Set(["minor", "major", "latest"]);
function versionText(tag, service2) {
  const kind = kindOfTag(tag, service2);
  return kind.kind === "version" ? kind.version.text : void 0;
}

// packages/publishing/src/release/gate-inputs.ts
var LONGEST_MS = 30 * 6e4;
var GateInputs = class {
  constructor(context, services, brought, version2, board, indexes) {
    this.context = context;
    this.services = services;
    this.brought = brought;
    this.version = version2;
    this.board = board;
    this.indexes = indexes;
    for (const { service: service2, registries: registries3 } of brought)
      for (const row of registries3) this.#rows.set(`${row.registry} ${service2}`, row);
  }
  context;
  services;
  brought;
  version;
  board;
  indexes;
  /** By `registry service`: how the candidate was brought there, as far as that is known. */
  #rows = /* @__PURE__ */ new Map();
  /** By `registry service`: why nothing can be tagged there in this run. */
  #excluded = /* @__PURE__ */ new Map();
  /** What the gate is told, and what it would have been told of those who come later. */
  #entries = [];
  /** A registry that is not waited for, when its candidates are brought or have failed. */
  async arrive(target) {
    const rows = this.brought.flatMap(({ service: service2, late }) => {
      const row = late?.get(target.name);
      return row === void 0 ? [] : [row.then((known) => this.#rows.set(`${target.name} ${service2}`, known))];
    });
    if (!await within2(Promise.all(rows), LONGEST_MS)) {
      for (const { service: service2 } of this.brought) this.#giveUp(target, service2);
    }
    await this.enter([target]);
  }
  #giveUp(target, service2) {
    const row = this.#rows.get(`${target.name} ${service2}`);
    if (row === void 0 || row.state === "failed") return;
    const what = `it had not taken the candidate after ${LONGEST_MS / 6e4} min, and is waited for no longer`;
    const problem3 = { code: "UNAVAILABLE", what, remedy: "Run the same command again." };
    this.#rows.set(`${target.name} ${service2}`, { ...row, state: "failed", problems: [problem3] });
  }
  /** First look at registries whose candidates are brought, and what the gate is to know of them. */
  async enter(targets) {
    const [silent, answering] = partition(targets, (target) => this.#isSilent(target));
    const unseen = silent.flatMap(
      (target) => this.brought.map(({ service: service2 }) => {
        const why = this.#rows.get(`${target.name} ${service2}`)?.problems[0]?.what ?? "it was not asked";
        return { service: service2, registry: target.name, held: { state: "unreachable", why } };
      })
    );
    const [seen2] = await Promise.all([this.look(answering), this.#readIndexes(answering)]);
    this.board.see([...unseen, ...seen2]);
    const entries2 = await Promise.all(
      targets.flatMap(
        (target) => this.brought.map(
          (report) => gateEntry(target, {
            report,
            row: this.#rows.get(`${target.name} ${report.service}`),
            version: this.version,
            sights: this.board.now,
            indexes: this.indexes
          })
        )
      )
    );
    this.#entries.push(...entries2);
  }
  /** Whether a registry answered for none of the candidates; one that refused them may answer for its tags. */
  #isSilent({ name: name4 }) {
    return this.brought.every(({ service: service2 }) => {
      const row = this.#rows.get(`${name4} ${service2}`);
      return row?.state === "failed" && row.problems.some(({ code: code3 }) => code3 === "UNAVAILABLE");
    });
  }
  /** Each index once, while the tags are looked at; who cannot read one hears of it when it is needed. */
  async #readIndexes(targets) {
    await Promise.allSettled(
      targets.flatMap(
        (target) => this.brought.map(async ({ service: service2 }) => {
          const digest = this.#rows.get(`${target.name} ${service2}`)?.digest;
          if (digest !== void 0) await this.indexes.read(target, service2, digest);
        })
      )
    );
  }
  /** The gate, with all that is known by now. */
  decide() {
    const { version: version2 } = this;
    const services = this.services.map(({ service: service2 }) => service2);
    return decideGate({ version: version2, services, registries: this.registries(), entries: this.#entries });
  }
  registries() {
    return this.context.targets.map(({ name: name4, registry: registry2 }) => ({
      registry: name4,
      required: registry2.required
    }));
  }
  /** What is left in registries that are not waited for, with all that is known of them by now. */
  later(needed) {
    const gate4 = this.decide();
    const reasons = [...gate4.open ? [] : gate4.reasons, ...gate4.later];
    const waits = needed.some(({ registry: registry2 }) => registry2.required);
    return reasons.filter(({ registry: registry2 }) => !waits || !needed.some(({ name: name4 }) => name4 === registry2));
  }
  /** An image that did not pass is not tagged, in whatever registry. */
  exclude(targets) {
    const gate4 = this.decide();
    for (const { kind, service: service2, registry: registry2, what } of [...gate4.open ? [] : gate4.reasons, ...gate4.later]) {
      if (service2 === void 0 || !targets.some(({ name: name4 }) => name4 === registry2)) continue;
      if (OF_THE_CANDIDATE.has(kind)) this.#excluded.set(`${registry2 ?? ""} ${service2}`, what);
    }
    this.board.see(this.board.now.map((sight) => this.#withoutExcluded(sight)));
  }
  #withoutExcluded(sight) {
    const why = this.#excluded.get(`${sight.registry} ${sight.service}`);
    return why === void 0 ? sight : { ...sight, held: { state: "unreachable", why } };
  }
  async look(targets) {
    const sights = await readTags({ ...this.context, targets }, this.#wanted(), this.indexes);
    return sights.map((sight) => this.#withoutExcluded(this.#withCandidate(sight)));
  }
  /** What was brought is there, and was verified there: it need not be asked for again. */
  #withCandidate(sight) {
    const { service: service2, registry: registry2, held } = sight;
    const row = this.#rows.get(`${registry2} ${service2}`);
    const tag = this.brought.find((one) => one.service === service2)?.tag;
    if (held.state !== "seen" || row?.digest === void 0 || tag === void 0 || held.tags.has(tag))
      return sight;
    if (row.state === "failed" || row.state === "not started") return sight;
    const candidate = { digest: row.digest, version: void 0 };
    return { service: service2, registry: registry2, held: { state: "seen", tags: new Map([...held.tags, [tag, candidate]]) } };
  }
  #wanted() {
    return this.services.map(({ service: service2, policy }) => {
      const tags2 = planTags(this.version, policy);
      const known = (registry2) => {
        const sight = snapshotOf(this.board.start, service2, registry2);
        if (sight.state !== "seen") return void 0;
        return new Set(versionsOf(sight.tags, service2).map(({ text: text2 }) => text2));
      };
      return { service: service2, tags: [tags2.version, ...tags2.floating], known };
    });
  }
  /** The brought services, as far as they have come. */
  reports() {
    return this.brought.map((report) => ({
      ...report,
      late: void 0,
      registries: report.registries.map((row) => this.#rows.get(`${row.registry} ${report.service}`) ?? row)
    }));
  }
};
var OF_THE_CANDIDATE = /* @__PURE__ */ new Set([
  "candidate missing",
  "candidate failed",
  "candidate refused",
  "digests differ"
]);
function partition(all, matches) {
  return [all.filter(matches), all.filter((one) => !matches(one))];
}

// packages/publishing/src/release/release-record.ts
function recordOf(context, release) {
  const { plan, progress, board, verified, pipeline: pipeline2 } = release;
  const images = [...verified].flatMap(([service2, seen2]) => {
    const whole = seen2.find(({ variants: variants2 }) => variants2.length > 0);
    return whole === void 0 ? [] : [[service2, imageOf(whole)]];
  });
  return composeRecord({
    plan,
    steps: progress.steps,
    now: board.now,
    pipeline: pipeline2,
    images: new Map(images),
    repository: (registry2, service2) => {
      const target = context.targets.find(({ name: name4 }) => name4 === registry2);
      return target === void 0 ? registry2 : `${target.registry.host}/${repositoryOf2(target, service2)}`;
    }
  });
}
function imageOf({ annotations, variants: variants2 }) {
  return {
    revision: annotations["org.opencontainers.image.revision"],
    candidate: annotations[CANDIDATE_ANNOTATION],
    created: annotations["org.opencontainers.image.created"],
    platforms: variants2.map(({ platform: platform2, digest, size: size2 }) => ({ platform: platform2, digest, size: size2 }))
  };
}
async function attachRecord(context, record5, indexes) {
  const content = new TextEncoder().encode(recordJson(record5));
  const attachments = context.targets.flatMap(
    (target) => Object.entries(record5.services).flatMap(
      ([service2, { digest, registries: registries3 }]) => target.registry.referrers && registries3[target.name]?.state === "complete" ? [attach(context, { target, service: service2, digest, content, indexes })] : []
    )
  );
  return Promise.all(attachments);
}
async function attach(context, of) {
  const { target, service: service2, digest, content, indexes } = of;
  const place2 = { service: service2, registry: target.name };
  try {
    const { descriptor } = await indexes.read(target, service2, digest);
    const to = { registry: target.client, repository: repositoryOf2(target, service2) };
    const { state } = await context.progress.step(
      { step: "record", ...place2 },
      () => attachArtifact(to, descriptor, { type: RECORD_MEDIA_TYPE, content }),
      (attached) => ({ state: attached.state })
    );
    return { ...place2, state };
  } catch (error2) {
    const stopped = interrupted(context);
    if (stopped !== void 0) throw stopped;
    const { what, ...problem3 } = problemOf2(error2);
    return {
      ...place2,
      state: "failed",
      problem: {
        ...problem3,
        what: `the release record could not be put beside the image: ${what}`,
        remedy: [
          problem3.remedy,
          `The image and its tags are not affected. A registry that takes no such documents: "referrers": false in its catalog entry.`
        ].filter((line) => line !== void 0).join("\n")
      }
    };
  }
}

// packages/publishing/src/release/release-report.ts
function releaseReport(of) {
  const { planned, report, progress, board, targets, verified, attached, promotes } = of;
  const { service: service2 } = planned;
  const tags2 = progress.steps.filter((step) => step.service === service2).map((step) => tagReport(step, board));
  const registries3 = report.registries.map((row) => {
    const found = verified.find(({ name: name4 }) => name4 === row.registry);
    const record5 = attached.find((one) => one.service === service2 && one.registry === row.registry);
    const target = targets.find(({ name: name4 }) => name4 === row.registry);
    const isOut2 = tags2.some(
      (tag) => tag.registry === row.registry && tag.tag === planned.tags.version && isInPlace(tag)
    );
    return {
      ...row,
      // What users pull, once it can be.
      ...isOut2 && target !== void 0 ? { reference: referenceOf(target, service2, planned.tags.version) } : {},
      ...found === void 0 || found.state === "verified" ? {} : { state: "failed", problems: found.problems },
      ...record5 === void 0 ? {} : { record: record5.state },
      ...record5?.problem === void 0 ? {} : { problems: [...row.problems, record5.problem] }
    };
  });
  const needed = new Set(splitByRequired({ targets }).needed.map(({ name: name4 }) => name4));
  const released = isComplete({ tags: tags2, registries: registries3 }, (registry2) => needed.has(registry2));
  const wrote = tags2.some(({ state }) => state === "done") || report.state === "published";
  return {
    ...report,
    state: released ? wrote ? "released" : "already there" : "not released",
    registries: registries3,
    tags: tags2,
    notes: [
      ...report.notes,
      ...board.races(service2),
      ...progress.overtaking.filter((line) => line.startsWith(`${service2}:`)),
      ...promotes ? staying(planned, progress) : []
    ]
  };
}
function staying({ service: service2, tags: tags2 }, { steps }) {
  const found = steps.flatMap(
    ({ standing, ...step }) => step.service === service2 && standing.state === "stays" ? [{ tag: step.tag, newer: standing.newer.text }] : []
  );
  if (found.length === 0) return [];
  const names = [...new Set(found.map(({ tag }) => tag))];
  const newer = [...new Set(found.map(({ newer: version2 }) => version2))].join(", ");
  const told2 = names.length === 1 ? `stays as it is, because a newer version (${newer}) has it; --allow-backwards moves it` : `stay as they are, because a newer version (${newer}) has them; --allow-backwards moves them`;
  return [`${names.join(", ")} ${told2} back to ${tags2.version}`];
}
function isComplete({ tags: tags2 = [], registries: registries3 }, counts = () => true) {
  return tags2.filter(({ registry: registry2 }) => counts(registry2)).every(isInPlace) && registries3.filter(({ registry: registry2 }) => counts(registry2)).every(({ state }) => state !== "failed");
}
function tagReport(step, board) {
  const { registry: registry2, tag, standing } = step;
  const problem3 = board.problem(step);
  const written = board.written(step);
  const before = written === void 0 ? step.before : written.before;
  const was = before === void 0 || before.digest === step.digest ? void 0 : before;
  const row = { registry: registry2, tag, ...was === void 0 ? {} : { before: was.version?.text ?? was.digest } };
  switch (standing.state) {
    case "already there":
      return { ...row, state: written === void 0 ? "already there" : "done" };
    case "stays":
      return { ...row, state: "stays", told: standing.told };
    case "refused":
      return { ...row, state: "failed", problem: problem3 ?? problemOf2(standing.error) };
    case "to write":
      if (board.isUnseen(step)) return { ...row, state: "done" };
      return problem3 === void 0 ? { ...row, state: "not started" } : { ...row, state: "failed", problem: problem3 };
    case "missing":
    case "unreachable":
      return problem3 === void 0 ? { ...row, state: "not started", told: standing.told } : { ...row, state: "failed", problem: problem3 };
  }
}

// packages/publishing/src/release/write-tag.ts
import { setTimeout as delay3 } from "node:timers/promises";
var READ_LAG_MS2 = [250, 1e3, 2e3, 4e3, 8e3];
async function writeTag(target, step, writer) {
  const { service: service2, tag, digest, before } = step;
  const { client } = target;
  const repository = repositoryOf2(target, service2);
  const present = await client.resolve(repository, tag, { push: true });
  if (present?.digest === digest) return { state: "done" };
  if (present?.digest !== before?.digest) {
    const now = present === void 0 ? "taken away" : `moved to ${present.digest}`;
    const told2 = `${tag}: it was ${now} between the look and the write`;
    const remedy = "Somebody else writes this tag. When they have ended, run the same command again.";
    const where2 = referenceOf(target, service2, tag);
    return { state: "overtaken", told: told2, error: new TgoError("CONFLICT", told2, { where: where2, remedy }) };
  }
  const { bytes, descriptor } = await writer.indexes.read(target, service2, digest);
  try {
    await client.putManifest(repository, tag, descriptor.mediaType, bytes);
  } catch (error2) {
    throw isTgoError(error2) && error2.code === "INVALID_RESPONSE" ? withWayOut(error2, step) : error2;
  }
  return confirm(target, step, writer);
}
function withWayOut({ code: code3, what, where: where2, remedy = "" }, { tag, phase }) {
  const way = phase === "version" ? `If ${tag} is there now, remove it there; then run the same command again.` : `Then run the same command again, with --adopt-latest if ${tag} is there now.`;
  return new TgoError(code3, what, { where: where2, remedy: `${remedy}
${way}`.trim() });
}
async function confirm(target, step, { indexes, sleep = delay3 }) {
  const { service: service2, tag, digest, version: version2, before } = step;
  const where2 = referenceOf(target, service2, tag);
  for (const lag of [...READ_LAG_MS2, void 0]) {
    const seen2 = await seenNow(target, step, indexes);
    const after = afterWrite({ tag, wrote: { digest, version: version2 }, before, seen: seen2, where: where2 });
    if (after.state === "ok") return { state: "done" };
    if (after.state === "lost") {
      if (after.to_is === "newer") return { state: "overtaken", told: after.told };
      return { state: "overtaken", told: `${tag}: ${after.error.what}`, error: after.error };
    }
    if (lag === void 0) throw after.error;
    await sleep(lag);
  }
  throw new TgoError("INTERNAL", "a read after a write without an end", { where: where2 });
}
async function seenNow(target, { service: service2, tag, digest }, indexes) {
  const found = await target.client.resolve(repositoryOf2(target, service2), tag, { push: true });
  if (found === void 0) return void 0;
  if (found.digest === digest) return { digest, version: void 0 };
  const { version: version2 } = await indexes.facts(target, service2, found.digest).catch((error2) => {
    if (isTgoError(error2) && error2.code === "INTERRUPTED") throw error2;
    return { version: void 0 };
  });
  return { digest: found.digest, version: version2 === void 0 ? void 0 : readVersion(version2) };
}

// packages/publishing/src/release/tag-writer.ts
var ROUNDS = 12;
var Pace = class {
  #next = promised();
  #ended = false;
  /** Whether something happened after this was called; false when nothing more will. */
  step() {
    return this.#ended ? Promise.resolve(false) : this.#next.promise;
  }
  tell() {
    const told2 = this.#next;
    this.#next = promised();
    told2.keep(true);
  }
  end() {
    this.#ended = true;
    this.#next.keep(true);
  }
};
async function follow(writing, track, told2 = () => void 0) {
  const { board, plan } = writing;
  for (let round = 1; round <= ROUNDS; ) {
    const more = track.others?.step();
    const { next: next2 } = nextSteps(board.now, plan, board.start);
    const steps = next2.act === "write" ? next2.steps.filter((step) => isOpen2(writing, track, step)) : [];
    if (steps.length === 0) {
      if (await more !== true) return;
      continue;
    }
    await Promise.all(steps.map((step) => write(writing, track, step)));
    board.see(await track.look());
    told2();
    round += 1;
  }
}
function isOpen2({ board }, { targets }, step) {
  return targets.some(({ name: name4 }) => name4 === step.registry) && board.problem(step) === void 0;
}
async function write({ context, board, indexes, sleep }, track, step) {
  const target = track.targets.find(({ name: name4 }) => name4 === step.registry);
  if (target === void 0) return;
  const names = { step: `tag ${step.tag}`, service: step.service, registry: step.registry };
  try {
    const written = await context.progress.step(
      names,
      () => writeTag(target, step, { indexes, ...sleep === void 0 ? {} : { sleep } })
    );
    if (written.state === "done") board.wrote(step);
    else board.lost(step, written.told, written.error);
  } catch (error2) {
    const stopped = interrupted(context);
    if (stopped !== void 0) throw stopped;
    board.failed(step, error2);
  }
}

// packages/publishing/src/release/release.ts
async function releaseServices(context, entrants, options) {
  const brought = await Promise.all(entrants.map(({ bring: bring2 }) => bring2()));
  return new Run(context, entrants, brought, options).release();
}
var LINGERS = 12;
var Run = class {
  constructor(context, entrants, brought, options) {
    this.context = context;
    this.entrants = entrants;
    this.options = options;
    const { version: version2 } = options;
    this.#gathering = new GateInputs(context, entrants, brought, version2, this.#board, this.#indexes);
  }
  context;
  entrants;
  options;
  #indexes = new IndexCache();
  #board = new ReleaseLedger();
  #gathering;
  /** By service: what the end saw, registry by registry. */
  #verified = /* @__PURE__ */ new Map();
  /** Once the gate is open. */
  #opened;
  async release() {
    try {
      const stopped = interrupted(this.context);
      return stopped === void 0 ? await this.#release() : this.#soFar(stopped);
    } catch (error2) {
      const stopped = interrupted(this.context);
      if (stopped === void 0) throw error2;
      return this.#soFar(stopped);
    }
  }
  async #release() {
    const { context, options } = this;
    const { needed, others } = splitByRequired(context);
    const arrivals = others.map((target) => this.#gathering.arrive(target));
    const late = Promise.all(arrivals);
    const patience = context.gracePeriodMs ?? GRACE_PERIOD_MS;
    await Promise.all([this.#gathering.enter(needed), within2(late, patience)]);
    const gate4 = this.#gathering.decide();
    if (!gate4.open) {
      await within2(late, LINGERS * patience);
      return { ok: false, gate: gate4, services: this.#gathering.reports().map((report) => notReleased(report)) };
    }
    context.progress.note({ step: "gate" }, `open: ${options.version.text} may be released`);
    const plan = this.#plan(gate4);
    this.#opened = { gate: gate4, plan };
    const pace = new Pace();
    await allEnded([
      this.#go(plan, needed, { pace }),
      ...others.map(async (target, index) => {
        await arrivals[index];
        await this.#go(plan, [target], { behind: pace });
      })
    ]);
    return this.#end(plan, { ...gate4, later: this.#gathering.later(needed) });
  }
  #plan(gate4) {
    const { version: version2, allowBackwards, adopt } = this.options;
    const policies = Object.fromEntries(this.entrants.map(({ service: service2, policy }) => [service2, policy]));
    return planRelease({
      version: version2,
      gate: gate4,
      registries: this.#gathering.registries(),
      policies,
      allowBackwards,
      adopt
    });
  }
  /** Tags and verifies these registries; where it goes on behind others, as far as they are. */
  async #go(plan, targets, { pace, behind: behind2 }) {
    this.#gathering.exclude(targets);
    const { context } = this;
    const { sleep } = this.options;
    const writing = { context, plan, board: this.#board, indexes: this.#indexes, sleep };
    try {
      const track = { targets, look: () => this.#gathering.look(targets), others: behind2 };
      await follow(writing, track, () => pace?.tell());
    } finally {
      pace?.end();
    }
    await this.#verify(plan, targets);
  }
  /** Every registry's version tag, held against the plan and against each other. */
  async #verify(plan, targets) {
    const { steps } = nextSteps(this.#board.now, plan, this.#board.start);
    await Promise.all(
      plan.services.map(async ({ service: service2, digest, tags: tags2 }) => {
        const there = steps.filter((step) => {
          return step.service === service2 && step.phase === "version" && step.standing.state === "already there";
        });
        const reached = targets.filter(({ name: name4 }) => there.some(({ registry: registry2 }) => registry2 === name4));
        if (reached.length === 0) return;
        const options = { digest, elf: false };
        const seen2 = await verifyTag(this.context, service2, reached, tags2.version, options);
        this.#verified.set(service2, [...this.#verified.get(service2) ?? [], seen2]);
      })
    );
  }
  async #end(plan, gate4) {
    const { context, options } = this;
    const board = this.#board;
    const progress = nextSteps(board.now, plan, board.start);
    const report = (attached2) => this.#report(plan, progress, attached2);
    const record5 = options.pipeline === void 0 ? void 0 : recordOf(context, { plan, progress, board, verified: this.#verified, pipeline: options.pipeline });
    const released = report([]).every(({ state }) => state !== "not released");
    const attached = record5 !== void 0 && released ? await attachRecord(context, record5, this.#indexes) : [];
    const services = report(attached);
    const kept = attached.every(({ registry: registry2, state }) => {
      const required2 = context.targets.some((target) => target.name === registry2 && target.registry.required);
      return state !== "failed" || !required2;
    });
    return { ok: kept && services.every((service2) => isComplete(service2)), gate: gate4, services, record: record5 };
  }
  #report(plan, progress, attached) {
    return plan.services.map(
      (planned) => releaseReport({
        planned,
        report: this.#gathering.reports().find(({ service: service2 }) => service2 === planned.service) ?? missing(planned.service),
        progress,
        board: this.#board,
        targets: this.context.targets,
        verified: (this.#verified.get(planned.service) ?? []).flatMap(({ targets }) => targets),
        attached,
        promotes: this.options.promotes ?? false
      })
    );
  }
  /** What a run that was stopped has done: no registry is asked any more. */
  #soFar(stopped) {
    if (this.#opened === void 0) {
      const gate5 = { open: false, reasons: [], later: [] };
      return { ok: false, gate: gate5, services: this.#gathering.reports().map(notReleased), stopped };
    }
    const { gate: gate4, plan } = this.#opened;
    const progress = nextSteps(this.#board.now, plan, this.#board.start);
    return { ok: false, gate: gate4, services: this.#report(plan, progress, []), stopped };
  }
};
async function allEnded(works) {
  for (const ended of await Promise.allSettled(works)) if (ended.status === "rejected") throw ended.reason;
}
function notReleased(report) {
  return { ...report, state: report.state === "failed" ? "failed" : "not released" };
}
function missing(service2) {
  throw new TgoError("INTERNAL", `${service2} is in the plan and was never brought`);
}

// packages/publishing/src/status/status.ts
async function statusOf(context, services, policy) {
  const wanted2 = services.map(({ name: name4 }) => ({ service: name4, tags: ["latest"] }));
  return releaseStatus({
    services: services.map(({ name: name4 }) => ({ service: name4, policy })),
    registries: context.targets.map(({ name: name4 }) => name4),
    sights: await readTags(context, wanted2, new IndexCache(), { versions: "all" })
  });
}

// packages/publishing/src/targets/retry-progress.ts
var WORTH_A_LINE_MS = 3e3;
function retryProgress(progress, registry2, now = () => performance.now()) {
  let toldUntil = 0;
  return ({ doing, reason, waitMs }) => {
    const until = now() + waitMs;
    if (waitMs < WORTH_A_LINE_MS || until < toldUntil + WORTH_A_LINE_MS) return;
    toldUntil = until;
    progress.note({ step: "wait", registry: registry2 }, `${doing}: ${reason}; again in ${Math.round(waitMs / 1e3)} s`);
  };
}

// packages/publishing/src/targets/connect-targets.ts
async function connectTargets(catalog, of) {
  const credentialsOf2 = await credentialSource(of);
  const services = of.registryService;
  const entries2 = Object.entries(catalog.registries);
  if (services.length > entries2.length) {
    throw new TgoError("USAGE", `${services.length} --registry-service for ${entries2.length} registries`, {
      remedy: "Give one --registry-service for each --registry, in the same order."
    });
  }
  return Promise.all(
    entries2.map(async ([name4, registry2], index) => {
      const given = services[index];
      const url2 = given === void 0 ? void 0 : await endpoint(given, registry2.host);
      const credentials = await credentialsOf2(registry2.host);
      const onRetry = retryProgress(of.progress, name4);
      const common = { host: registry2.host, url: url2, signal: of.signal, onRetry };
      return {
        name: name4,
        registry: registry2,
        client: new Registry2({ ...common, credentials }),
        anonymous: registry2.public ? new Registry2(common) : void 0,
        credentials,
        service: given ?? (of.local ? localService(of.client, registry2.host) : void 0)
      };
    })
  );
}
var LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])(?::(\d+))?(?:\/|$)/;
function localService(client, address2) {
  const match = LOOPBACK.exec(address2);
  if (match === null) return void 0;
  const port = Number(match[2] ?? "80");
  return client.host().service([{ frontend: port, backend: port }], { host: "localhost" });
}
async function endpoint(service2, host) {
  const scheme = LOOPBACK.test(host) ? "http" : "https";
  await service2.start();
  return service2.endpoint({ scheme });
}
async function credentialSource({
  dockerConfig,
  credentials
}) {
  const none = () => Promise.resolve(void 0);
  if (dockerConfig === void 0) return credentials ?? none;
  return keychain(parseDockerConfig(await dockerConfig.plaintext()));
}

// packages/progress/src/progress.ts
var Progress = class {
  constructor(listener, now = () => performance.now(), signal) {
    this.listener = listener;
    this.now = now;
    this.signal = signal;
  }
  listener;
  now;
  signal;
  count = 0;
  /**
   * Runs a step between its "begin" and its "end".
   * @param describe what to say of the result
   */
  async step(names, run3, describe4) {
    const id = `${++this.count}`;
    const started = this.now();
    this.listener({ kind: "begin", id, ...names });
    const end = (result) => {
      const wasStopped = result.state === "failed" && this.signal?.aborted === true;
      const told2 = wasStopped ? { state: "stopped" } : result;
      this.listener({ kind: "end", id, ...names, ...told2, durationMs: Math.round(this.now() - started) });
    };
    try {
      const result = await run3();
      end({ state: "done", ...describe4?.(result) });
      return result;
    } catch (error2) {
      end({ state: "failed", detail: oneLine(error2) });
      throw error2;
    }
  }
  note(names, detail) {
    this.listener({ kind: "note", id: `${++this.count}`, ...names, detail });
  }
};
function formatEvent(event) {
  const where2 = [event.service, event.platform, event.registry].filter((part) => part !== void 0).join(" ");
  const seconds = event.durationMs === void 0 ? "" : ` (${(event.durationMs / 1e3).toFixed(1)} s)`;
  const state = event.kind === "begin" ? "..." : event.kind === "note" ? "note" : event.state ?? "done";
  const detail = event.detail === void 0 ? "" : `: ${event.detail}`;
  return `${where2} ${event.step} ${state}${seconds}${detail}`.trim();
}

// packages/functions/src/context.ts
async function createContext(client, product, options, host = {}) {
  const [catalog, pins] = await Promise.all([
    loadCatalog(product.catalog, options),
    loadPins(product, options.baseLock)
  ]);
  const platforms = selectPlatforms(catalog, options.platform);
  const { signal } = host;
  const progress = new Progress(
    host.progress ?? ((event) => {
      console.error(formatEvent(event));
    }),
    void 0,
    signal
  );
  const connections = {
    client,
    progress,
    signal,
    local: host.local ?? false,
    registryService: options.registryService ?? [],
    dockerConfig: options.dockerConfig,
    credentials: host.credentials
  };
  const [native, engine, targets] = await Promise.all([
    client.defaultPlatform().then(parsePlatform),
    host.engine ?? client.version().then((text2) => `Dagger engine ${text2}`),
    connectTargets(catalog, connections)
  ]);
  return {
    client,
    catalog,
    pins,
    bases: new Bases(basesOptions({ client, native, catalog, pins, host })),
    platforms,
    targets,
    progress,
    signal,
    pipeline: product.pipeline,
    native,
    engine,
    host,
    caBundle: options.caBundle,
    secrets: { netrc: options.netrc, npmrc: options.npmrc, build: options.buildSecrets },
    repos: options.repos
  };
}
function basesOptions(context) {
  const { client, native, catalog, pins, host } = context;
  const service2 = (address2) => host.local === true ? localService(client, address2) : void 0;
  return { client, native, mirrors: catalog.mirrors.images, pins, service: service2 };
}
async function loadPins(product, file) {
  return { ...product.bases?.bases, ...file === void 0 ? {} : await readBaseLock(file) };
}
async function readBaseLock(file) {
  const [name4, text2] = await Promise.all([file.name(), file.contents()]);
  return parseBaseLock(text2, name4).bases;
}
async function loadCatalog(builtIn, options) {
  const file = options.catalog;
  const name4 = file === void 0 ? void 0 : await file.name();
  const override = file === void 0 || name4 === void 0 ? void 0 : parseOverrideFile(await file.contents(), name4);
  const overridden = applyOverride(builtIn, override, name4);
  const catalog = { ...overridden, mirrors: withMirrorFlags(overridden.mirrors, options.mirror ?? []) };
  if (options.registry === void 0 || options.registry.length === 0) return catalog;
  const given = options.registry.map((text2) => parseRegistryFlag(text2, catalog.registries));
  return { ...catalog, registries: Object.fromEntries(given.map(({ name: name5, registry: registry2 }) => [name5, registry2])) };
}

// packages/functions/src/finish-report.ts
var FunctionFailed = class extends Error {
  constructor(message) {
    super(message);
    this.name = "FunctionFailed";
  }
};
var ReportError = class extends FunctionFailed {
  constructor(message, report) {
    super(message);
    this.report = report;
  }
  report;
};
function finishReport(context, { command, ok, services, started, flags, format }, more = {}) {
  const durationMs = Math.round(performance.now() - started);
  const made2 = {
    command,
    ok,
    engine: context.engine,
    pipeline: context.pipeline,
    began: new Date(Date.now() - durationMs).toISOString(),
    durationMs,
    services,
    ...more,
    next: !ok && isRetryable({ services, problems: more.problems }) ? context.host.invocation ?? `dagger call ${command} ${flags}` : void 0
  };
  const report = context.host.report?.(made2) ?? made2;
  const text2 = render2(report, format, context.host.text);
  if (!ok) throw new ReportError(text2, report);
  return text2;
}

// packages/functions/src/lock-bases.ts
async function lockBases(context, names, file) {
  const every = names.length === 0 || names.includes("all");
  const services = selectServices(context.catalog, every ? ["all"] : names);
  const named = [...services.flatMap(({ service: service2 }) => basesOf(service2.build)), TOOLS_BASE];
  const wanted2 = [.../* @__PURE__ */ new Set([...named, ...every ? Object.keys(file) : []])].filter(
    (reference) => !reference.includes("@")
  );
  const bases = new Bases({ ...basesOptions(context), pins: {} });
  const resolved = await Promise.all(
    wanted2.map(
      (reference) => context.progress.step(
        { step: `resolve ${reference}` },
        async () => {
          await Promise.all(context.platforms.map((platform2) => bases.container(reference, platform2)));
          return [reference, await bases.digest(reference)];
        },
        ([, digest]) => ({ detail: change(context.pins[reference], digest) })
      )
    )
  );
  const dockerfiles = services.filter(({ service: service2 }) => service2.build.strategy === "dockerfile");
  if (dockerfiles.length > 0) {
    context.progress.note(
      { step: "lock-bases" },
      `images of the Dockerfiles of ${dockerfiles.map(({ name: name4 }) => name4).join(", ")} are pinned once they are added to the lock by hand: their full name, such as "docker.io/library/debian:12", and any digest, for --base-lock`
    );
  }
  return formatBaseLock({ ...file, ...Object.fromEntries(resolved) });
}
function change(before, after) {
  if (before === void 0) return `new: ${after}`;
  return before === after ? `unchanged: ${after}` : `${before} -> ${after}`;
}

// packages/functions/src/plan.ts
function describeServices(catalog, format) {
  const rows = Object.entries(catalog.services).map(([name4, service2]) => ({
    service: name4,
    title: service2.title,
    strategy: service2.build.strategy,
    ports: service2.image.ports,
    bases: basesOf(service2.build)
  }));
  if (format === "json") return JSON.stringify({ services: rows, platforms: catalog.platforms }, null, 2);
  const table3 = rows.map((row) => [row.service, row.strategy, row.ports.join(" "), row.title]);
  return renderTable(["service", "built by", "ports", "what it is"], table3, format);
}
function describePlan(catalog, names, platforms, format, pins = {}) {
  const selected = selectServices(catalog, names);
  const planned = selectPlatforms(catalog, platforms);
  const plans = selected.map(({ name: name4, service: service2 }) => ({
    service: name4,
    strategy: service2.build.strategy,
    platforms: planned,
    bases: basesOf(service2.build).map((name5) => ({ name: name5, digest: digestOf2(name5, pins) ?? null })),
    smoke: smokeLines(service2),
    publishesTo: Object.entries(catalog.registries).map(([registry2, entry]) => {
      const { host, repository } = registryRepository(entry, name4);
      return {
        registry: registry2,
        repository: `${host}/${repository}`,
        required: entry.required,
        public: entry.public
      };
    })
  }));
  if (format === "json") return JSON.stringify({ plan: plans }, null, 2);
  return plans.map((plan) => {
    const table3 = renderTable(
      ["registry", "repository", "required", "public"],
      plan.publishesTo.map((to) => [
        to.registry,
        to.repository,
        to.required ? "yes" : "no",
        to.public ? "yes" : "no"
      ]),
      format
    );
    const bullet = format === "markdown" ? "- " : "  ";
    return [
      format === "markdown" ? `### ${plan.service}
` : plan.service,
      `${bullet}built by ${plan.strategy} for ${plan.platforms.join(" and ")}`,
      ...plan.bases.map(
        ({ name: name4, digest }) => `${bullet}from ${name4}: ${digest === null ? "not pinned, resolved when it is built" : `pinned to ${digest}`}`
      ),
      `${bullet}checked: every file's ELF machine, in every variant`,
      `${bullet}run in every variant: ${plan.smoke.join("; ") || "its machine only"}`,
      `${bullet}published as candidate-<key>, one digest everywhere, verified by that digest`,
      "",
      table3
    ].join("\n");
  }).join("\n\n");
}
function digestOf2(name4, pins) {
  return pinned(name4, pins).split("@")[1];
}
function smokeLines(service2) {
  const { exec, http } = service2.smoke;
  return [
    ...exec.map((command) => command.join(" ")),
    ...http.map(({ port, path, status }) => `GET :${port}${path} is ${status}`)
  ];
}

// packages/functions/src/smoke.ts
async function smokeService(context, name4, service2, options) {
  return attempt(context, name4, async () => {
    const request = await prepareBuild(context, name4, service2, options);
    const { built, checks, smokes } = await buildAndTest(context, request);
    return {
      service: name4,
      state: "smoke ok",
      revision: request.source.revision,
      variants: context.platforms.map((platform2) => {
        const check2 = checks.find((candidate) => candidate.platform === platform2);
        const smoke = smokes.find((candidate) => candidate.platform === platform2);
        return {
          platform: platform2,
          elf: check2 && { files: check2.files, elf: check2.elf, foreign: [] },
          smoke: smoke && { ok: true, machine: smoke.machine, lines: smoke.lines, recorded: false }
        };
      }),
      registries: [],
      problems: [],
      notes: built.notes
    };
  });
}

// packages/functions/src/verify.ts
async function verifyService(context, name4, service2, options, { tag, elf }) {
  return attempt(context, name4, async () => {
    const wanted2 = tag ?? candidateTag((await prepareCandidate(context, name4, service2, options)).key);
    const verification = await verifyTag(context, name4, context.targets, wanted2, {
      elf,
      allowForeign: service2.allowForeign
    });
    return {
      service: name4,
      state: verification.ok ? "verified" : "failed",
      revision: verification.annotations["org.opencontainers.image.revision"],
      tag: wanted2,
      digest: verification.digest,
      variants: variantRows(context, verification),
      registries: registryRows(context.targets, name4, wanted2, verification),
      problems: [],
      notes: []
    };
  });
}

// packages/functions/src/pipelines.ts
var Pipelines = class {
  constructor(client, product, options, host = {}) {
    this.client = client;
    this.product = product;
    this.options = options;
    this.host = host;
  }
  client;
  product;
  options;
  host;
  async services(format) {
    return describeServices(await this.catalog(), format);
  }
  async plan(service2, format) {
    const [catalog, pins] = await Promise.all([
      this.catalog(),
      loadPins(this.product, this.options.baseLock)
    ]);
    return describePlan(catalog, service2, this.options.platform, format, pins);
  }
  /** The text of a base lock with what the base images' tags stand for now. */
  async lockBases(service2) {
    const { baseLock } = this.options;
    const emptied = baseLock !== void 0 && (await baseLock.contents()).trim() === "";
    const options = emptied ? { ...this.options, baseLock: void 0 } : this.options;
    const context = await createContext(this.client, this.product, options, this.host);
    const file = options.baseLock === void 0 ? {} : await readBaseLock(options.baseLock);
    return lockBases(context, service2, file);
  }
  /** One variant of a service, built and checked, as a container. */
  async build(name4, source) {
    if ((this.options.platform?.length ?? 0) > 1) {
      throw new TgoError("USAGE", "build makes one platform's variant at a time", {
        remedy: "Give one --platform; publish makes all of them."
      });
    }
    const context = await createContext(this.client, this.product, this.options, this.host);
    const platform2 = context.platforms.includes(context.native) ? context.native : context.platforms[0];
    const one = { ...context, platforms: context.platforms.filter((candidate) => candidate === platform2) };
    const [selected] = select(one, [name4], source);
    if (selected === void 0) throw new TgoError("USAGE", "no service given");
    const request = await prepareBuild(one, selected.name, selected.service, prepareOptions(source));
    const { built } = await buildAndTest(one, request, { smoke: false });
    const [variant] = built.variants;
    if (variant === void 0) throw new TgoError("BUILD", `${name4} has no variant`);
    return variant.container;
  }
  smoke(service2, source, format) {
    return this.report("smoke", service2, source, format, smokeService);
  }
  publish(service2, source, version2, format) {
    const text2 = version2 === void 0 ? void 0 : parseVersion(version2, "--version").text;
    return this.report(
      "publish",
      service2,
      source,
      format,
      (context, name4, definition, options) => publishService(context, name4, definition, { ...options, version: text2 })
    );
  }
  /** Candidates of all services, one gate, then the version's tags, and latest last. */
  async release(service2, wishes, source, format) {
    return this.released("release", service2, wishes, source, format, async (context, selected, version2) => {
      const options = { ...prepareOptions(source), version: version2.text };
      const before = await preflight(context, selected, { ...options, patient: true });
      return {
        before,
        bring: (name4, definition) => {
          const prepared = before.prepared.get(name4);
          return prepared === void 0 ? bringService(context, name4, definition, options) : bringCandidate(context, candidateOf(context, prepared));
        }
      };
    });
  }
  /** The tags of a version that is out: nothing is built. */
  async promote(service2, wishes, format) {
    return this.released("promote", service2, wishes, {}, format, async (context, selected, version2) => ({
      before: await preflightRegistries(
        context,
        selected.map(({ name: name4 }) => name4)
      ),
      bring: (name4) => bringVersion(context, name4, version2.text)
    }));
  }
  /** Whether a release could begin, and all that speaks against it. Without a version: whether a publish could. */
  async preflight(names, version2, source, format) {
    const started = performance.now();
    const context = await createContext(this.client, this.product, this.options, this.host);
    const of = version2.version === void 0 && version2.gitTag === void 0 ? void 0 : wanted(version2, Object.keys(context.catalog.services));
    const selected = select(context, of?.service === void 0 ? names : [of.service], source);
    const text2 = of?.version.text;
    const { ready, services, problems: problems6 } = await preflight(context, selected, {
      ...prepareOptions(source),
      version: text2,
      patient: false
    });
    const flags = `--service ${names.join(",")}${text2 === void 0 ? "" : ` --version ${text2}`}`;
    const ended = { command: "preflight", ok: ready, services, started, flags, format };
    return finishReport(context, ended, { version: text2, problems: problems6 });
  }
  /** What is out, in every registry. */
  async status(service2, format) {
    const context = await createContext(this.client, this.product, this.options, this.host);
    const selected = selectServices(context.catalog, service2);
    return describeStatus(await statusOf(context, selected, context.catalog.release), format);
  }
  /** Candidate and staging tags that nothing released points to. */
  async prune(service2, { days, keep, undated, remove }, format) {
    const context = await createContext(this.client, this.product, this.options, this.host);
    const selected = selectServices(context.catalog, service2);
    const before = new Date(Date.now() - days * 24 * 3600 * 1e3);
    const pruned = await prune(context, selected, { before, keep, undated, remove });
    const text2 = describePruned(pruned, remove, format);
    if (pruned.some(({ problem: problem3 }) => problem3 !== void 0)) throw new FunctionFailed(text2);
    return text2;
  }
  verify(service2, { tag, elf }, source, format) {
    return this.report(
      "verify",
      service2,
      source,
      format,
      (context, name4, definition, options) => verifyService(context, name4, definition, options, { tag, elf })
    );
  }
  async released(command, names, wishes, source, format, begin) {
    const started = performance.now();
    const context = await createContext(this.client, this.product, this.options, this.host);
    const { version: version2, service: service2 } = wanted(wishes, Object.keys(context.catalog.services));
    const selected = select(context, service2 === void 0 ? names : [service2], source);
    const flags = `--service ${names.join(",")} --version ${version2.text}`;
    const { before, bring: bring2 } = await begin(context, selected, version2);
    if (!before.mayBegin) {
      const { services: services2, problems: problems6 } = before;
      const gate5 = { open: false, reasons: [NOT_BEGUN], later: [] };
      const ended = { command, ok: false, services: services2, started, flags, format };
      return finishReport(context, ended, { version: version2.text, gate: gate5, problems: problems6 });
    }
    for (const { what, where: where2 } of before.problems)
      context.progress.note({ step: "preflight" }, where2 === void 0 ? what : `${what} (${where2})`);
    const entrants = selected.map(({ name: name4, service: definition }) => ({
      service: name4,
      policy: context.catalog.release,
      bring: () => bring2(name4, definition)
    }));
    const { ok, gate: gate4, services, record: record5, stopped } = await releaseServices(context, entrants, {
      version: version2,
      allowBackwards: wishes.allowBackwards,
      adopt: wishes.adoptLatest,
      promotes: command === "promote",
      pipeline: context.pipeline
    });
    const unknown2 = command === "promote" && stopped === void 0 ? nowhere(services) : void 0;
    if (unknown2 !== void 0) {
      const ended = { command, ok: false, services: [], started, flags, format };
      return finishReport(context, ended, { version: version2.text, problems: [unknown2] });
    }
    return finishReport(
      context,
      { command, ok, services, started, flags, format },
      {
        version: version2.text,
        gate: stopped !== void 0 && !gate4.open ? void 0 : gateReport(gate4),
        record: record5,
        problems: stopped === void 0 ? void 0 : [problemOf2(stopped)]
      }
    );
  }
  catalog() {
    return loadCatalog(this.product.catalog, this.options);
  }
  /** Runs one stage for every service at once, and throws a report that is not ok. */
  async report(command, names, source, format, run3) {
    const started = performance.now();
    const context = await createContext(this.client, this.product, this.options, this.host);
    const selected = select(context, names, source);
    const services = await Promise.all(
      selected.map(({ name: name4, service: service2 }) => run3(context, name4, service2, prepareOptions(source)))
    );
    const ok = services.every(({ state }) => state !== "failed");
    const flags = `--service ${names.join(",")}`;
    return finishReport(context, { command, ok, services, started, flags, format });
  }
};
function gateReport(gate4) {
  return {
    open: gate4.open,
    reasons: gate4.open ? [] : formatReasons(gate4.reasons),
    later: formatReasons(gate4.later)
  };
}
var NOT_BEGUN = "preflight found what must be mended first: nothing was built, and nothing was pushed";
function wanted({ version: version2, gitTag }, services) {
  if (gitTag !== void 0 && version2 === void 0) return parseReleaseTag(gitTag, services);
  if (version2 !== void 0 && gitTag === void 0) return { version: parseVersion(version2, "--version") };
  throw new TgoError(
    "USAGE",
    version2 === void 0 ? "which version?" : "--version and --git-tag say it twice",
    {
      remedy: "Give one of them: --version 1.2.3, or --git-tag v1.2.3 as CI systems have it."
    }
  );
}
function select(context, names, source) {
  const selected = selectServices(context.catalog, names);
  checkValues(source.value ?? [], selected);
  return selected;
}
function prepareOptions({ source, revision, created, value }) {
  return { source, revision, created, values: value };
}

// pipelines/bases.json
var bases_default = {
  bases: {}
};

// pipelines/services/tgo-ai/service.json
var service_default = {
  $schema: "../../../packages/catalog/schema/service.schema.json",
  title: "TGO AI",
  description: "AI agents and model access of TGO.",
  build: {
    strategy: "python",
    packages: ["curl"],
    exclude: ["tests", "Dockerfile", ".dockerignore"]
  },
  image: {
    users: [
      {
        name: "appuser",
        uid: 1e3,
        home: "/home/appuser"
      }
    ],
    user: "1000:1000",
    env: {
      PYTHONUNBUFFERED: "1",
      APP_VERSION: "{version}",
      GIT_COMMIT: "{revision}",
      BUILD_TIME: "{created}",
      HOME: "/home/appuser"
    },
    ports: [8081],
    command: ["uvicorn", "app.main:app", "--host", "0.0.0.0", "--port", "8081"],
    directories: [
      {
        path: "/home/appuser",
        owner: "1000:1000"
      },
      {
        path: "/data/skills",
        owner: "1000:1000"
      }
    ],
    healthcheck: {
      command: ["curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:8081/health"],
      timeout: "30s",
      startPeriod: "40s"
    }
  },
  smoke: {
    env: {
      DATABASE_URL: "postgresql+asyncpg://tgo:tgo@127.0.0.1:5432/tgo"
    },
    skipImports: ["git"],
    exec: [["alembic", "heads"]],
    http: [
      {
        port: 8081,
        path: "/health"
      }
    ]
  }
};

// pipelines/services/tgo-api/service.json
var service_default2 = {
  $schema: "../../../packages/catalog/schema/service.schema.json",
  title: "TGO API",
  description: "Core business service of TGO: multi-tenant customer service API.",
  build: {
    strategy: "python",
    packages: ["curl", "libpq5"],
    exclude: ["tests", "Dockerfile", ".dockerignore"]
  },
  image: {
    env: {
      PYTHONUNBUFFERED: "1",
      APP_VERSION: "{version}",
      GIT_COMMIT: "{revision}",
      BUILD_TIME: "{created}"
    },
    ports: [8e3, 8001],
    command: [
      "sh",
      "-c",
      "uvicorn app.main:app --host 0.0.0.0 --port 8000 & uvicorn app.internal:internal_app --host 0.0.0.0 --port 8001 & wait"
    ],
    directories: [
      {
        path: "/app/logs"
      },
      {
        path: "/app/uploads"
      }
    ],
    links: [
      {
        path: "/usr/local/bin/resetadmin",
        target: "/app/scripts/resetadmin"
      }
    ],
    healthcheck: {
      command: [
        "sh",
        "-c",
        "curl -fsS -o /dev/null http://127.0.0.1:8000/health && curl -fsS -o /dev/null http://127.0.0.1:8001/health"
      ],
      timeout: "30s",
      startPeriod: "40s"
    }
  },
  smoke: {
    env: {
      DATABASE_URL: "postgresql://tgo:tgo@127.0.0.1:5432/tgo",
      SECRET_KEY: "for-smoke-runs-only-0123456789abcdef"
    },
    exec: [["alembic", "heads"]],
    http: [
      {
        port: 8e3,
        path: "/health"
      },
      {
        port: 8001,
        path: "/health"
      }
    ]
  }
};

// pipelines/services/tgo-platform/service.json
var service_default3 = {
  $schema: "../../../packages/catalog/schema/service.schema.json",
  title: "TGO Platform",
  description: "Channel integrations of TGO.",
  build: {
    strategy: "python",
    packages: ["curl"],
    exclude: ["tests", "Dockerfile", ".dockerignore"]
  },
  image: {
    env: {
      PYTHONUNBUFFERED: "1",
      APP_VERSION: "{version}",
      GIT_COMMIT: "{revision}",
      BUILD_TIME: "{created}"
    },
    ports: [8003],
    command: ["uvicorn", "app.main:app", "--host", "0.0.0.0", "--port", "8003"],
    healthcheck: {
      command: ["curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:8003/health"],
      timeout: "30s",
      startPeriod: "40s"
    }
  },
  smoke: {
    env: {
      API_BASE_URL: "http://127.0.0.1:8000",
      DATABASE_URL: "postgresql+asyncpg://tgo:tgo@127.0.0.1:5432/tgo",
      PYTHONPATH: "/app"
    },
    exec: [["alembic", "heads"]],
    http: [
      {
        port: 8003,
        path: "/health"
      }
    ]
  }
};

// pipelines/services/tgo-rag/service.json
var service_default4 = {
  $schema: "../../../packages/catalog/schema/service.schema.json",
  title: "TGO RAG",
  description: "Document ingestion and retrieval of TGO.",
  build: {
    strategy: "python",
    packages: [
      "curl",
      "libpq5",
      "libmagic1",
      "libreoffice-core",
      "tesseract-ocr",
      "libnss3",
      "libnspr4",
      "libatk1.0-0",
      "libatk-bridge2.0-0",
      "libcups2",
      "libdrm2",
      "libdbus-1-3",
      "libxkbcommon0",
      "libatspi2.0-0",
      "libxcomposite1",
      "libxdamage1",
      "libxfixes3",
      "libxrandr2",
      "libgbm1",
      "libasound2",
      "libpango-1.0-0",
      "libcairo2",
      "fonts-liberation"
    ],
    data: [
      {
        package: "nltk",
        command: [
          "python",
          "-c",
          "import nltk\nfor name in ('punkt', 'punkt_tab', 'averaged_perceptron_tagger', 'averaged_perceptron_tagger_eng'):\n    nltk.download(name, download_dir='/app/nltk_data', raise_on_error=True)"
        ],
        output: "/app/nltk_data"
      },
      {
        package: "playwright",
        command: ["playwright", "install", "chromium"],
        output: "/opt/playwright-browsers",
        platforms: {
          "linux/amd64": {
            PLAYWRIGHT_BROWSERS_PATH: "/opt/playwright-browsers",
            PLAYWRIGHT_HOST_PLATFORM_OVERRIDE: "debian12-x64"
          },
          "linux/arm64": {
            PLAYWRIGHT_BROWSERS_PATH: "/opt/playwright-browsers",
            PLAYWRIGHT_HOST_PLATFORM_OVERRIDE: "debian12-arm64"
          }
        }
      },
      {
        package: "wordfreq",
        command: [
          "python",
          "-c",
          "import itertools, json, pathlib, wordfreq\nout = pathlib.Path('/app/wordfreq')\nout.mkdir(parents=True)\nfor name in ('en', 'zh'):\n    words = itertools.islice(wordfreq.get_frequency_dict(name).items(), 20000)\n    (out / f'{name}.json').write_text(json.dumps(dict(words)))"
        ],
        output: "/app/wordfreq"
      }
    ],
    exclude: ["tests", "Dockerfile", ".dockerignore"]
  },
  image: {
    users: [
      {
        name: "rag",
        uid: 999,
        home: "/home/rag"
      }
    ],
    user: "999:999",
    env: {
      PYTHONUNBUFFERED: "1",
      APP_VERSION: "{version}",
      GIT_COMMIT: "{revision}",
      BUILD_TIME: "{created}",
      HOME: "/home/rag",
      XDG_CACHE_HOME: "/home/rag/.cache",
      NLTK_DATA: "/app/nltk_data",
      PLAYWRIGHT_BROWSERS_PATH: "/opt/playwright-browsers",
      WEB_CONCURRENCY: "4"
    },
    ports: [8082],
    command: ["uvicorn", "src.rag_service.main:app", "--host", "0.0.0.0", "--port", "8082"],
    directories: [
      {
        path: "/home/rag",
        owner: "999:999"
      },
      {
        path: "/home/rag/.cache",
        owner: "999:999"
      },
      {
        path: "/app/uploads",
        owner: "999:999"
      },
      {
        path: "/app/logs",
        owner: "999:999"
      }
    ],
    healthcheck: {
      command: ["curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:8082/health"],
      timeout: "30s",
      startPeriod: "40s"
    }
  },
  smoke: {
    env: {
      WEB_CONCURRENCY: "1"
    },
    exec: [["alembic", "heads"]],
    http: [
      {
        port: 8082,
        path: "/health"
      }
    ]
  }
};

// pipelines/services/tgo-web/service.json
var service_default5 = {
  $schema: "../../../packages/catalog/schema/service.schema.json",
  title: "TGO Web",
  description: "Agents' console of TGO.",
  build: {
    strategy: "static-web",
    values: {
      VITE_API_BASE_URL: {
        default: "/api",
        description: "Base URL of the API; the container's environment can still replace it."
      },
      VITE_APP_VERSION: {
        default: "{version}",
        description: "Version the pages show."
      }
    }
  },
  image: {
    files: [
      {
        from: "nginx.conf",
        to: "/etc/nginx/conf.d/default.conf",
        mode: "0644"
      },
      {
        from: "docker-entrypoint.sh",
        to: "/docker-entrypoint.sh",
        mode: "0755"
      }
    ],
    entrypoint: ["/docker-entrypoint.sh"],
    command: ["nginx", "-g", "daemon off;"],
    ports: [80],
    healthcheck: {
      command: ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:80/"],
      startPeriod: "5s"
    }
  },
  smoke: {
    exec: [["nginx", "-t"]],
    http: [
      {
        port: 80,
        path: "/"
      },
      {
        port: 80,
        path: "/env-config.js"
      },
      {
        port: 80,
        path: "/any/page"
      }
    ]
  }
};

// pipelines/services/tgo-widget-app/service.json
var service_default6 = {
  $schema: "../../../packages/catalog/schema/service.schema.json",
  title: "TGO Widget",
  description: "Visitors' chat widget of TGO.",
  source: {
    path: "repos/tgo-widget-js"
  },
  build: {
    strategy: "static-web",
    values: {
      VITE_API_BASE_URL: {
        default: "/api",
        description: "Base URL of the API; the container's environment can still replace it."
      },
      VITE_APP_VERSION: {
        default: "{version}",
        description: "Version the pages show."
      }
    }
  },
  image: {
    files: [
      {
        from: "docker-entrypoint.sh",
        to: "/docker-entrypoint.sh",
        mode: "0755"
      }
    ],
    entrypoint: ["/docker-entrypoint.sh"],
    ports: [80],
    healthcheck: {
      command: ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:80/"],
      startPeriod: "5s"
    }
  },
  smoke: {
    exec: [["nginx", "-t"]],
    http: [
      {
        port: 80,
        path: "/"
      },
      {
        port: 80,
        path: "/env-config.js"
      },
      {
        port: 80,
        path: "/any/page"
      }
    ]
  }
};

// pipelines/tgo/core.ts
var PIPELINE = "43a0d2cb590ad140";
var BUILT_IN = {
  services: {
    "tgo-api": service_default2,
    "tgo-ai": service_default,
    "tgo-platform": service_default3,
    "tgo-rag": service_default4,
    "tgo-web": service_default5,
    "tgo-widget-app": service_default6
  }
};
var BASES = bases_default;
var Pipelines2 = class extends Pipelines {
  constructor(client, options, host) {
    super(client, { catalog: BUILT_IN, bases: BASES, pipeline: PIPELINE }, options, host);
  }
};
export {
  BASES,
  BUILT_IN,
  PIPELINE,
  Pipelines2 as Pipelines,
  ReportError,
  formatEvent
};
