// Remembers which POSTs arrived, so that a lesson can ask: was one lost, was one done twice?
"use strict";

const ID = /^[A-Za-z0-9._:-]{1,128}$/;

class Posts {
  /** Keeps at most `limit` ids, so that a long load test does not fill the memory. */
  constructor(limit = 100_000) {
    this.limit = limit;
    this.seen = new Map();
  }

  /** Notes one id; returns it with how often it came. An absent or odd id is not noted. */
  note(id) {
    if (!ID.test(id ?? "")) return { id: null, count: 0 };
    const post = this.seen.get(id) ?? { at: Date.now(), count: 0 };
    post.count += 1;
    this.seen.set(id, post);
    // A Map keeps the order of arrival: its first key is the oldest.
    if (this.seen.size > this.limit) this.seen.delete(this.seen.keys().next().value);
    return { id, count: post.count };
  }

  /** All ids, oldest first; `at` is the first arrival in milliseconds since 1970. */
  list() {
    return Array.from(this.seen, ([id, post]) => ({ id, at: post.at, count: post.count }));
  }

  forget() {
    this.seen.clear();
  }
}

module.exports = { Posts };
