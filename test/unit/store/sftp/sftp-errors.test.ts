import { describe, expect, test } from '@jest/globals';
import { ExitCode } from '#src/base/exit-codes.js';
import { ConnectionFault, sftpError, StatusError } from '#src/store/sftp/sftp-errors.js';

const write = { exitCode: ExitCode.output, doing: 'write the archive to', name: 'sftp://host/a' };
const read = { exitCode: ExitCode.usage, doing: 'read the archive from', name: 'sftp://host/a' };

describe('an error of an SFTP server', () => {
  test.each([
    [new StatusError(2, 'No such file'), 'no such directory', 'no such file'],
    [new StatusError(3, 'Permission denied'), 'permission denied', 'permission denied'],
    [new StatusError(4, 'Failure'), 'the server gives no reason: its disk may be full', 'the server gives no reason'],
    [new StatusError(4, 'no\nway'), String.raw`no\u000away`, String.raw`no\u000away`],
    [new StatusError(8, ''), 'the server does not know this request', 'the server does not know this request'],
    [new StatusError(14, ''), "the server's disk is full", "the server's disk is full"],
    [new StatusError(15, ''), 'the disk quota on the server is used up', 'the disk quota on the server is used up'],
    [new StatusError(99, 'odd'), 'odd', 'odd'],
    [
      new ConnectionFault('connection refused', true, { cause: new Error('x') }),
      'connection refused',
      'connection refused',
    ],
  ])('%s is one line for an operator', (error, writing, reading) => {
    expect(sftpError(error, write)).toMatchObject({
      exitCode: 8,
      message: `cannot write the archive to sftp://host/a: ${writing}`,
    });
    expect(sftpError(error, read)).toMatchObject({
      exitCode: 2,
      message: `cannot read the archive from sftp://host/a: ${reading}`,
    });
  });
});
