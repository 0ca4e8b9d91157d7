// The switches of a lesson: they make a share of the requests slow, failing, or both.
"use strict";

// 100 * 0.29 is 28.999… in binary; without this the 29th of 100 would come one request late.
const ROUNDING = 1e-9;

class Switches {
  constructor() {
    this.reset();
  }

  reset() {
    this.slowMs = 0;
    this.failStatus = 0;
    this.setShare(1);
  }

  /** Delays requests by `slowMs` milliseconds; 0 turns it off. */
  slow(slowMs, share) {
    this.slowMs = slowMs;
    this.setShare(share);
  }

  /** Answers requests with the HTTP status `failStatus`. */
  fail(failStatus, share) {
    this.failStatus = failStatus;
    this.setShare(share);
  }

  /** Both switches have one share, so that a request is either healthy or ill. */
  setShare(share) {
    this.share = share;
    this.seen = 0;
  }

  /**
   * Says what happens to the next request; 0 means "not affected".
   * Counted, not drawn by lot: with share 0.5 every second request is affected, in every lesson.
   */
  next() {
    const before = Math.floor(this.seen * this.share + ROUNDING);
    this.seen += 1;
    const after = Math.floor(this.seen * this.share + ROUNDING);
    if (after === before) return { slowMs: 0, failStatus: 0 };
    return { slowMs: this.slowMs, failStatus: this.failStatus };
  }

  state() {
    return { slow_ms: this.slowMs, fail_status: this.failStatus, share: this.share };
  }
}

module.exports = { Switches };
