/** The bytes on their way to a server: in pieces of one size, a fixed number of them at once, each kept until it has arrived. */

/** Every server takes as much in one request (draft-ietf-secsh-filexfer-02, section 3). */
const pieceBytes = 32 * 1024;
const maxPieces = 64;

interface Piece {
  readonly bytes: Buffer;
  readonly position: number;
}

interface SentPiece extends Piece {
  readonly buffer: Buffer;
  readonly arrival: Promise<void>;
  hasArrived: boolean;
}

export class WriteWindow {
  readonly #send: (bytes: Buffer, position: number) => Promise<void>;
  readonly #sent: SentPiece[] = [];
  readonly #spareBuffers: Buffer[] = [];
  #buffer: Buffer | undefined;
  #filled = 0;
  /** Of the first byte of `#buffer`. */
  #position = 0;
  #failure: { readonly error: unknown } | undefined;

  /** `send` resolves when the server has taken the bytes, which stay as they are until then. */
  constructor(send: (bytes: Buffer, position: number) => Promise<void>) {
    this.#send = send;
  }

  /** Of all that was written. */
  get acceptedBytes(): number {
    return this.#position + this.#filled;
  }

  /** The server has taken all bytes before this one, and their buffers are in use again. */
  get confirmedBytes(): number {
    return this.#sent[0]?.position ?? this.#position;
  }

  /** What the server has taken beyond that. */
  unsettled(): readonly Piece[] {
    return this.#sent.filter(({ hasArrived }) => hasArrived);
  }

  /** Resolves when the bytes are copied, which takes as long as the window is full. Rejects with the first failure of `send`. */
  async write(chunk: Buffer): Promise<void> {
    for (let taken = 0; taken < chunk.length;) {
      this.#buffer ??= await this.#freeBuffer();
      const count = chunk.copy(this.#buffer, this.#filled, taken);
      this.#filled += count;
      taken += count;
      if (this.#filled === pieceBytes) this.#sendBuffer();
    }
    this.#throwFailure();
  }

  /** Resolves when the server has taken everything. */
  async flush(): Promise<void> {
    if (this.#filled > 0) this.#sendBuffer();
    while (this.#sent[0] !== undefined) await this.#sent[0].arrival;
    this.#throwFailure();
  }

  async #freeBuffer(): Promise<Buffer> {
    while (this.#sent.length >= maxPieces) await this.#sent[0]?.arrival;
    this.#throwFailure();
    return this.#spareBuffers.pop() ?? Buffer.allocUnsafeSlow(pieceBytes);
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #sendBuffer(): void {
    const buffer = this.#buffer;
    if (buffer === undefined) return;
    const bytes = buffer.subarray(0, this.#filled);
    const position = this.#position;
    const arrival = this.#send(bytes, position).then(
      () => this.#settle(piece),
      (error: unknown) => {
        this.#failure ??= { error };
        throw error;
      },
    );
    arrival.catch(() => undefined);
    const piece: SentPiece = { buffer, bytes, position, arrival, hasArrived: false };
    this.#sent.push(piece);
    this.#position += this.#filled;
    this.#filled = 0;
    this.#buffer = undefined;
  }

  #settle(piece: SentPiece): void {
    piece.hasArrived = true;
    while (this.#sent[0]?.hasArrived === true) {
      const { buffer } = this.#sent[0];
      this.#sent.shift();
      this.#spareBuffers.push(buffer);
    }
  }
}
