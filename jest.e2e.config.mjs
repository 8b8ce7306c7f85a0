/** The tests that need the e2e world; scripts/e2e.ts starts it and runs them. */
export default {
  testEnvironment: 'node',
  transform: {},
  roots: ['<rootDir>/build/test/e2e'],
  testMatch: ['**/*.test.js'],
  reporters: ['default', '<rootDir>/build/test/support/summary-reporter.js'],
  testTimeout: 300_000,
  verbose: true,
};
