/** Jest runs the compiled tests in build/; src is under test as compiled to dist/. */
import { availableParallelism } from 'node:os';

export default {
  testEnvironment: '<rootDir>/build/test/support/test-environment.js',
  transform: {},
  roots: ['<rootDir>/build/test'],
  testMatch: ['**/unit/**/*.test.js', '**/integration/**/*.test.js', '**/faults/**/*.test.js'],
  reporters: ['default', '<rootDir>/build/test/support/summary-reporter.js'],
  // For machines that are slow or shared: what hangs is bounded by the tests' own waits.
  testTimeout: 240_000,
  // One more than there are cores, as many a test waits for a program, a server or a timeout.
  maxWorkers: availableParallelism() + 1,
  // A worker says at its end what it covered, in tens of megabytes; one killed while it does would be missed by c8.
  workerGracefulExitTimeout: 60_000,
};
