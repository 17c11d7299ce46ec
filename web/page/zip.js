/** A file in a zip of less than 4 GB (PKWARE's APPNOTE.TXT, 4.3). */

/** What stands at the end of a zip, at most so far from there, and of each file in its list. */
const END = 0x06054b50;
const ENTRY = 0x02014b50;
const COMMENT = 66_000;

/**
 * @param {Blob} file a zip
 * @param {string} wanted
 * @param {number} largest bytes that it may have
 * @returns {Promise<Response>} a file in it, to be read
 * @throws {RangeError} it is not there, or too large
 */
export async function unzipped(file, wanted, largest) {
  const from = Math.max(0, file.size - COMMENT);
  const tail = new DataView(await file.slice(from).arrayBuffer());
  let end = tail.byteLength - 22;
  while (end >= 0 && tail.getUint32(end, true) !== END) end--;
  const start = tail.getUint32(end + 16, true);
  const list = new DataView(await file.slice(start, start + tail.getUint32(end + 12, true)).arrayBuffer());
  for (let at = 0; at + 46 <= list.byteLength && list.getUint32(at, true) === ENTRY;) {
    const [packing, size] = [list.getUint16(at + 10, true), list.getUint32(at + 20, true)];
    const [name, extra, comment] = [28, 30, 32].map((place) => list.getUint16(at + place, true));
    const place = list.getUint32(at + 42, true);
    if (new TextDecoder().decode(new Uint8Array(list.buffer, at + 46, name)) === wanted) {
      if (list.getUint32(at + 24, true) > largest) throw new RangeError("too large");
      const own = new DataView(await file.slice(place, place + 30).arrayBuffer());
      const data = place + 30 + own.getUint16(26, true) + own.getUint16(28, true);
      const stream = file.slice(data, data + size).stream();
      const whole = packing ? stream.pipeThrough(new DecompressionStream("deflate-raw")) : stream;
      return new Response(whole.pipeThrough(bounded(largest)));
    }
    at += 46 + name + extra + comment;
  }
  throw new RangeError("not there");
}

/** Lets no more through than may be: what a file says of its size need not be so. @param {number} largest */
function bounded(largest) {
  let count = 0;
  return new TransformStream({
    transform(/** @type {Uint8Array} */ data, controller) {
      if ((count += data.length) > largest) controller.error(new RangeError("too large"));
      else controller.enqueue(data);
    },
  });
}
