/**
 * The last line of a test run, in plain words; before it, which tests were skipped, and which took more than a test may take.
 * `RUNS_PAGE` names a page with a table of runs, which gets a row for this one.
 */
import { readFileSync, writeFileSync, writeSync } from 'node:fs';
import { toolsOfRun, withRun } from './run-row.js';
import { isFull } from './scale.js';

const slowMs = 5000;

/** What Jest gives its reporters, as far as it is wanted here. */
interface RunResults {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numRuntimeErrorTestSuites: number;
  readonly startTime: number;
  readonly testResults: readonly { readonly testResults: readonly TestResult[] }[];
}
interface TestResult {
  readonly fullName: string;
  readonly duration?: number | null;
  readonly status: string;
}

export default class SummaryReporter {
  onRunComplete(_contexts: unknown, results: RunResults): void {
    const tests = results.testResults.flatMap(({ testResults }) => testResults);
    for (const { status, fullName } of tests) {
      if (status === 'pending') process.stderr.write(`skipped: ${fullName}\n`);
    }
    const slow = tests.filter(({ duration }) => (duration ?? 0) > slowMs);
    for (const { duration, fullName } of slow.sort((a, b) => (b.duration ?? 0) - (a.duration ?? 0))) {
      process.stderr.write(`${seconds(duration ?? 0)} s: ${fullName}\n`);
    }
    const { RUNS_PAGE: page } = process.env;
    if (page !== undefined) {
      const { numPassedTests: passed, numFailedTests: failed, numPendingTests: skipped } = results;
      writeFileSync(page, withRun(readFileSync(page, 'utf8'), { passed, failed, skipped }, toolsOfRun(), new Date()));
    }
    // After Jest's own summary, which comes last of all reporters.
    process.once('exit', () => void writeSync(2, `\n${summary(results)}\n`));
  }
}

function summary(results: RunResults): string {
  const { numPassedTests, numFailedTests, numPendingTests, numRuntimeErrorTestSuites, startTime } = results;
  const broken = numRuntimeErrorTestSuites > 0 ? ` and ${numRuntimeErrorTestSuites} files that cannot run` : '';
  const counts = `${numPassedTests} passed, ${numFailedTests} failed${broken}, ${numPendingTests} skipped`;
  const how = `in ${seconds(Date.now() - startTime)} s at ${isFull ? 'full' : 'quick'} numbers`;
  return `${counts} ${how}, with ${toolsOfRun().replace('reqlite', 'the embedded stand-in (reqlite), no RethinkDB')}`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(0);
}
