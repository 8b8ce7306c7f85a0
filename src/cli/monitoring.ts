/**
 * From the settings to the monitors of a run. They are told of every end that follows: a command line that names no
 * command, and a variable that forces help, are refused before the settings are read, and reach no monitor.
 */
import { parsePingUrl } from '../monitors/ping-request.js';
import type { ReadSettings } from '../settings/reader.js';
import type { CommandName, MonitoringName, SettingName, SettingValues } from '../settings/settings.js';
import type { CommandRun } from './commands.js';

/** Of the commands, some have some of these. */
type MonitorValues = Partial<SettingValues<MonitoringName | 'dryRun' | 'existingReplicaId'>>;

/** Adds to the faults what is wrong with the settings of the monitors. */
export async function startMonitor(
  command: CommandName,
  read: Pick<ReadSettings<SettingName>, 'faults'> & { readonly values: object },
  { monitor, context }: CommandRun,
): Promise<void> {
  const { metricsFile, pingUrl, dryRun = false, existingReplicaId } = read.values as MonitorValues;
  const pingTarget = pingUrl && parsePingUrl(pingUrl.reveal());
  if (pingUrl !== undefined && pingTarget === undefined) {
    read.faults.push('--ping-url (DTR_PING_URL) must be an http or https URL');
  }
  if (dryRun && (metricsFile !== undefined || pingUrl !== undefined)) {
    // Its success says nothing of a backup.
    context.log.info('This is a dry run: --metrics-file and --ping-url are left alone');
    return;
  }
  const fault = await monitor.started({
    command,
    replicaId: existingReplicaId,
    metricsPath: metricsFile,
    pingTarget,
  });
  if (fault !== undefined) read.faults.push(`--metrics-file (DTR_METRICS_FILE): ${fault}`);
}
