import { describe, expect, it } from "vitest";
import { byteLength, ByteIndex, highlighted } from "./bytes";

const texts = ["", "plain", "naïve café", "水は100°Cで沸騰する。", "a🦀b🧑‍💻c", "مرحبا بالعالم", "🦀", "x\u{10ffff}é水y"];

describe.each(texts)("spans of %j", (text) => {
  const encoder = new TextEncoder();
  const index = new ByteIndex(text);

  it("counts the bytes that the encoder counts", () => {
    expect(index.bytes).toBe(encoder.encode(text).length);
    expect(byteLength(text)).toBe(index.bytes);
  });

  it("goes there and back at every character", () => {
    let unit = 0;
    for (const character of text) {
      const byte = encoder.encode(text.slice(0, unit)).length;
      expect(index.byteAt(unit)).toBe(byte);
      expect(index.unitAt(byte)).toBe(unit);
      unit += character.length;
    }
    expect(index.unitAt(index.bytes)).toBe(text.length);
    expect(index.byteAt(text.length)).toBe(index.bytes);
  });
});

it("takes a byte inside a character as its start, and one past the end as the end", () => {
  const index = new ByteIndex("a🦀b");
  expect([1, 2, 3, 4].map((byte) => index.unitAt(byte))).toEqual([1, 1, 1, 1]);
  expect(index.unitAt(5)).toBe(3);
  expect(index.unitAt(99)).toBe(4);
  expect(index.byteAt(2)).toBe(1);
});

it("cuts what a span covers", () => {
  const index = new ByteIndex("水は沸く。Then it boils.");
  expect(index.slice({ start: 15, end: 29 })).toBe("Then it boils.");
});

it("marks found words, joining overlaps", () => {
  expect(
    highlighted("de 水 la 水", [
      { start: 10, end: 13 },
      { start: 3, end: 6 },
      { start: 3, end: 5 },
    ]),
  ).toEqual([
    { text: "de ", marked: false },
    { text: "水", marked: true },
    { text: " la ", marked: false },
    { text: "水", marked: true },
  ]);
});
