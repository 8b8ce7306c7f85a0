/** Jest runs the compiled tests in build/; src is under test as compiled to dist/. */
export default {
  testEnvironment: 'node',
  transform: {},
  roots: ['<rootDir>/build/test'],
  testMatch: ['**/unit/**/*.test.js', '**/integration/**/*.test.js', '**/faults/**/*.test.js'],
  // For machines that are slow or shared: what hangs is bounded by the tests' own waits.
  testTimeout: 240_000,
  // A test that fails may leave a server behind, which would keep the run from ever ending.
  forceExit: true,
};
