/** The part of the table of settings about what watches a run from outside. */
import { anyText, part, secret, text } from './setting.js';

export const monitoring = part('Monitoring', {
  metricsFile: text(anyText('FILE'), {
    env: 'DTR_METRICS_FILE',
    help: 'write metrics of the run to FILE for Prometheus (textfile collector of node_exporter)',
  }),
  pingUrl: secret('URL', {
    env: 'DTR_PING_URL',
    help: 'ping a healthchecks service: URL/start at the start, then URL after a success or URL/fail',
  }),
});
