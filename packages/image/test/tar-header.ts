export interface HeaderFields {
  readonly name?: string | Buffer;
  readonly type?: string;
  readonly size?: number;
  readonly target?: string;
  readonly prefix?: string;
  /** Seven octal digits. */
  readonly mode?: string;
  /** Default ustar's. */
  readonly magic?: string;
  /** Writes the size in base 256. */
  readonly binarySize?: boolean;
  /** Adds up signed bytes, as some old writers do. */
  readonly signedSum?: boolean;
}

/** A raw tar header, for archives that no current program writes. */
export function tarHeader(fields: HeaderFields = {}): Buffer {
  const { name = "file", type = "0", size = 0, target = "", prefix = "", magic = "ustar\x0000" } = fields;
  const { mode = "0000644" } = fields;
  const block = Buffer.alloc(512);
  Buffer.from(name).copy(block, 0, 0, 100);
  block.write(`${mode}\0` + "0000000\0" + "0000000\0", 100, "latin1");
  if (fields.binarySize === true) {
    block[124] = 0x80;
    block.writeBigUInt64BE(BigInt(size), 128);
  } else block.write(`${size.toString(8).padStart(11, "0")}\0`, 124, "latin1");
  block.write("00000000000\0" + " ".repeat(8) + type, 136, "latin1");
  block.write(target, 157);
  block.write(magic, 257, "latin1");
  block.write(prefix, 345);
  const sum = block.reduce(
    (total, byte) => total + (fields.signedSum === true && byte > 127 ? byte - 256 : byte),
    0,
  );
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

/** A header and its content, padded to whole blocks. */
export function tarEntry(fields: HeaderFields, content: string | Buffer = ""): Buffer {
  const bytes = Buffer.from(content);
  const header = tarHeader({ size: bytes.length, ...fields });
  return Buffer.concat([header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

/** One record of a pax header. */
export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length;
  while (String(length).length + Buffer.byteLength(rest) !== length)
    length = String(length).length + Buffer.byteLength(rest);
  return `${length}${rest}`;
}

export const END_OF_ARCHIVE = Buffer.alloc(1024);
