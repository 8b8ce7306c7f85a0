/**
 * stdout: its kind of descriptor decides whether an archive or a report can be written to it, and how. Node's own stream
 * makes one write(2) for a file and ignores how much of it was written, discards what goes to a kind of descriptor that
 * it does not know, and opens /dev/null in place of a closed one.
 */
import { write as writeOnce } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { promisify } from 'node:util';
import type { ByteSink } from '../model/archive-stream.js';
import { describeDescriptor, type Descriptor } from './descriptor.js';
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { printableLines } from '../base/printable.js';
import { outputError, writeFully } from './output.js';
import { regularFileSink, syncFile } from './regular-file-sink.js';

type StdoutUse = 'archive' | 'report';

export interface Stdout {
  /**
   * Called before any work; writes nothing. Throws a JobError with exit code 8 where what is written would be lost, or
   * where something else could be written into an archive.
   */
  open(use: StdoutUse): ByteSink;
}

interface StdoutDescriptors {
  readonly fd: number;
  readonly stderrFd: number;
  /** Node's stream for `fd`, used for pipes, stream sockets and terminals, which it writes to the last byte. */
  readonly stream: () => Writable;
}

export function standardOutput({ fd, stderrFd, stream }: StdoutDescriptors): Stdout {
  return {
    open(use) {
      const descriptor = describeDescriptor(fd);
      const { kind } = descriptor;
      const reason = refusal(descriptor, use, describeDescriptor(stderrFd));
      if (reason !== undefined) throw new JobError(ExitCode.output, reason);
      const write = (bytes: Buffer): Promise<void> => writeFully((all, offset) => writeSome(fd, all, offset), bytes);
      if (kind === 'character device') return { write, commit: () => Promise.resolve() };
      if (kind === 'regular file' && use === 'archive') return regularFileSink(fd, write);
      if (kind === 'regular file') return { write, commit: () => syncFile(fd) };
      const node = stream();
      if (node instanceof Socket) return streamSink(node);
      throw new JobError(ExitCode.output, `stdout is a socket of datagrams or packets: ${remedy}`);
    },
  };
}

/**
 * Resolves when stdout has taken the text of a report. Names out of archives are made printable, as in the log; JSON
 * stays the same JSON. Throws a JobError with exit code 8.
 */
export async function print(stdout: Stdout, text: string): Promise<void> {
  const sink = stdout.open('report');
  try {
    await sink.write(Buffer.from(printableLines(text)));
    await sink.commit();
  } catch (error) {
    throw outputError('stdout', error, 'the report');
  }
}

const remedy = 'redirect it to a file or a pipe';

function refusal(descriptor: Descriptor, use: StdoutUse, stderr: Descriptor): string | undefined {
  const { kind, mayBeClosed, access, appends, position, sizeBytes, identity } = descriptor;
  if (kind === 'closed') return `stdout is closed: ${remedy}`;
  if (kind === 'directory' || kind === 'block device' || kind === 'unknown kind of file')
    return `stdout is a ${kind}: ${remedy}`;
  if (access === 'read') return `stdout is open for reading only: ${remedy}`;
  // A report may be discarded on purpose, for the sake of the exit code, which looks like a closed stdout.
  if (use === 'report') return undefined;
  if (mayBeClosed)
    return `stdout is closed, or a /dev/null opened for reading as well: ${remedy}, or to /dev/null (> /dev/null)`;
  if (kind === 'terminal')
    return 'stdout is a terminal, and the archive goes there: remove -t from docker run, and redirect stdout to a file or use --output';
  if (kind !== 'character device' && identity === stderr.identity)
    return `stdout and stderr are the same ${kind}, and the log would go into the archive: redirect one of them`;
  if (kind === 'regular file' && !appends && position !== undefined && position !== sizeBytes)
    return `stdout is a file of ${sizeBytes} bytes, written from byte ${position} on: truncate it first, or append to it`;
  return undefined;
}

/** Without a position: write(2) uses the descriptor's own, or the end of the file where it appends. */
async function writeSome(fd: number, bytes: Buffer, offset: number): Promise<number> {
  return (await promisify(writeOnce)(fd, bytes, offset, bytes.length - offset, null)).bytesWritten;
}

/** libuv continues after a partial write and waits for a full pipe; the callback comes after the last byte. */
function streamSink(stream: Writable): ByteSink {
  // The callback handles a failed write; the event that follows it must not end the process.
  stream.on('error', () => undefined);
  return {
    write: (bytes) =>
      new Promise((resolve, reject) => {
        stream.write(bytes, (error) => {
          if (error) reject(error);
          else resolve();
        });
      }),
    commit: () => Promise.resolve(),
  };
}
