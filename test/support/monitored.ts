/** A directory for metrics and a monitor to ping, and what a run has told both. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeArchive } from './archive/sample.js';
import type { Ended } from './command.js';
import { startMonitorServer, type MonitorServer, type MonitorServerOptions } from './monitor-server.js';

/** Of the ping URL: what must never be logged. */
export const pingPath = '/7b1f3c1e-9d57-4a39-8f7e-000000000000';
/** The calls of one run. */
export const succeeded: readonly string[] = [`GET ${pingPath}/start`, `GET ${pingPath}`];
export const failed: readonly string[] = [`GET ${pingPath}/start`, `POST ${pingPath}/fail`];

export class Monitored implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'dtr-backup-test-'));

  private constructor(readonly server: MonitorServer) {}

  static async start(options?: MonitorServerOptions): Promise<Monitored> {
    const monitored = new Monitored(await startMonitorServer(options));
    writeFileSync(monitored.path('good.tar'), await makeArchive());
    return monitored;
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  get metricsPath(): string {
    return this.path('m.prom');
  }

  get pingUrl(): string {
    return `${this.server.url}${pingPath}`;
  }

  /** The flags of both monitors. */
  get flags(): readonly string[] {
    return ['--metrics-file', this.metricsPath, '--ping-url', this.pingUrl];
  }

  /** A command that succeeds, without monitors. */
  get verify(): readonly string[] {
    return ['verify', this.path('good.tar')];
  }

  get metrics(): string {
    return readFileSync(this.metricsPath, 'utf8');
  }

  /** Of `dtr_backup_NAME`; undefined where it is absent. */
  metric(name: string): number | undefined {
    const value = new RegExp(`^dtr_backup_${name}\\{.*\\} (.*)$`, 'm').exec(this.metrics)?.[1];
    return value === undefined ? undefined : Number(value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.directory, { recursive: true });
    await this.server[Symbol.asyncDispose]();
  }
}

export function warningsOf({ stderr }: Ended): string[] {
  return stderr.split('\n').filter((line) => line.startsWith('WARN'));
}
