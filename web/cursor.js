// How far a room is known without a hole. Pure.

export class Cursor {
  constructor(epoch, seq) {
    this.epoch = epoch;
    this.seq = seq ?? 0;
  }

  get since() {
    return { epoch: this.epoch, seq: this.seq };
  }

  /** `prev` is the room's event before this one: when that is unknown here, something is missing in between. */
  take(seq, prev) {
    if (seq <= this.seq) return "known";
    if (prev != null && prev > this.seq) return "hole";
    this.seq = seq;
    return "next";
  }

  reach(seq) {
    this.seq = Math.max(this.seq, seq ?? 0);
  }

  rewind(seq) {
    this.seq = Math.min(this.seq, seq);
  }
}
