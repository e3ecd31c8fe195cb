import { isIP } from 'node:net';
import { z } from 'zod';

/** The kinds of value that only probes have. As everywhere in the file, the message of each is the remedy. */

const HEX_BYTES = /^hex:([0-9a-fA-F]{2}){1,500}$/;

/** An IP address of the machine that probes. */
export function sourceAddress() {
  const remedy = 'write an IP address of the machine that probes, like 10.0.0.10';
  return z.string(remedy).refine((text) => isIP(text) !== 0, remedy);
}

/** Text that is looked for. */
export function wantedText() {
  return textOf('write text, of at most 1000 characters', 1000);
}

/** Words for a server: a user, a database, a query. */
export function word(what: string, most = 200) {
  return textOf(`write ${what}, of at most ${most} characters`, most);
}

function textOf(remedy: string, most: number) {
  return z.string(remedy).regex(new RegExp(`^[^\\0]{1,${most}}$`), remedy);
}

/** Bytes as text or in hexadecimal; `bytesOf` reads them. */
export function payload() {
  const remedy = 'write text of at most 1000 characters, or bytes like hex:0d0a';
  const plain = /^(?!hex:)[^]{1,1000}$/;
  return z.string(remedy).refine((text) => plain.test(text) || HEX_BYTES.test(text), remedy);
}

/** The bytes that a `payload` means. */
export function bytesOf(text: string): Buffer {
  return HEX_BYTES.test(text) ? Buffer.from(text.slice('hex:'.length), 'hex') : Buffer.from(text);
}

/** Path of a request, with its query. */
export function requestPath() {
  const remedy = 'write a path, like /health';
  return z.string(remedy).regex(/^\/[\x21-\x7e]*$/, remedy);
}

/** Headers of a request. */
export function headers() {
  const name = 'write the name of a header, like authorization';
  const value = 'write the value of a header on one line, of at most 1000 characters';
  const remedy = 'write at most 20 headers, like { authorization: Bearer 123 }';
  return z
    .record(
      z.string(name).regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/, name),
      z.string(value).regex(/^[\t\x20-\x7e]{0,1000}$/, value),
      remedy,
    )
    .refine((found) => Object.keys(found).length <= 20, remedy);
}

/** Digest of a body, as sha256sum and its like print it. */
export function digest() {
  const remedy = 'write a digest in hexadecimal, like sha256:... (64 digits), sha1:... (40) or md5:... (32)';
  return z.string(remedy).regex(/^(md5:[0-9a-fA-F]{32}|sha1:[0-9a-fA-F]{40}|sha256:[0-9a-fA-F]{64})$/, remedy);
}

/** Name that a DNS server is asked for; `.` is the root. */
export function dnsName() {
  const remedy = 'write a name of the DNS, like www.example.org, or "."';
  return z.string(remedy).regex(/^(?=.{1,254}$)(\.|([\w-]{1,63}\.)*[\w-]{1,63}\.?)$/, remedy);
}

/** Name under which a mail client introduces itself. */
export function mailName() {
  const remedy = 'write a host name, like probe.example.org';
  return z.string(remedy).regex(/^[0-9A-Za-z.:[\]-]{1,255}$/, remedy);
}
