/** An open file on an SFTP server whose handle is made anew in each session: a lost connection takes its handles along. */
import type { Handle, SftpSession } from './sftp-session.js';

export class RemoteFile {
  readonly #open: (session: SftpSession) => Promise<Handle>;
  #opened: { readonly session: SftpSession; readonly handle: Promise<Handle> } | undefined;

  /** `open` is called once for each session that needs the handle. */
  constructor(open: (session: SftpSession) => Promise<Handle>) {
    this.#open = open;
  }

  handle(session: SftpSession): Promise<Handle> {
    if (this.#opened?.session !== session) this.#opened = { session, handle: this.#open(session) };
    return this.#opened.handle;
  }

  /** Throws what the server says of it; of a lost connection nothing need be closed. */
  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    if (opened === undefined || opened.session.isLost) return;
    await opened.session.closeFile(await opened.handle);
  }
}
