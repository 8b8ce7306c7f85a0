/**
 * Answers of the Docker Engine API, as far as they are needed: from the shapes of its reference (v1.24 to v1.41) to our
 * own names. Docker writes an empty list or map as null in places.
 */
import { z } from 'zod';

const texts = z.array(z.string()).nullish();
const textMap = z.record(z.string(), z.string()).nullish();

/** The state of a container whose node UCP does not reach, whatever the container did before. */
export const hostDown = 'host down';

const listedContainerSchema = z
  .object({
    Id: z.string().min(1),
    Names: texts,
    Image: z.string().nullish(),
    Labels: textMap,
    State: z.string().nullish(),
    Status: z.string().nullish(),
  })
  .transform(({ Id, Names, Image, Labels, State, Status }) => ({
    id: Id,
    /** With a leading slash and, through UCP, the node: `/<node>/<name>`. */
    names: Names ?? [],
    image: Image ?? '',
    labels: Labels ?? {},
    /** `running`, `exited`, `paused`, …, or `host down`. */
    state: stateOf(State ?? '', Status ?? ''),
    /** For people: `Exited (137) 2 hours ago`. */
    status: Status ?? '',
  }));

/**
 * UCP puts `Host Down` into the status alone: the state is the last it heard of (api/handlers.go of classicswarm).
 * Engines before API 1.23 send no state, only a status.
 */
function stateOf(state: string, status: string): string {
  if (status === 'Host Down') return hostDown;
  if (state !== '') return state;
  if (status.startsWith('Up ')) return status.endsWith('(Paused)') ? 'paused' : 'running';
  const [word = ''] = status.split(' ');
  return word === '' ? 'unknown' : word.toLowerCase();
}

export type ListedContainer = z.output<typeof listedContainerSchema>;

/** `GET /containers/json`. */
export const containersSchema = z.array(listedContainerSchema);

const mountSchema = z
  .object({ Name: z.string().optional(), Source: z.string().optional(), Destination: z.string() })
  .transform(({ Name, Source, Destination }) => ({
    /** The volume's name, through UCP perhaps `<node>/<volume>`; absent for a mounted directory. */
    volume: Name,
    /** The directory of the node. */
    source: Source,
    path: Destination,
  }));

/** `GET /containers/{id}/json`. */
export const containerSchema = z
  .object({
    Id: z.string().min(1),
    Name: z.string(),
    Config: z.object({ Env: texts }).nullish(),
    Mounts: z.array(mountSchema).nullish(),
    // classicswarm guards against null for all of these.
    NetworkSettings: z
      .object({ Networks: z.record(z.string(), z.object({ NetworkID: z.string().nullish() }).nullable()).nullish() })
      .nullish(),
  })
  .transform(({ Id, Name, Config, Mounts, NetworkSettings }) => ({
    id: Id,
    name: Name,
    /** `NAME=value`. */
    environment: Config?.Env ?? [],
    mounts: Mounts ?? [],
    /** Undefined where the answer does not say. */
    networks:
      NetworkSettings?.Networks &&
      Object.entries(NetworkSettings.Networks).map(([name, endpoint]) => ({ name, id: endpoint?.NetworkID ?? '' })),
  }));

export type InspectedContainer = z.output<typeof containerSchema>;

/** `GET /networks`. */
export const networksSchema = z.array(
  z.object({ Id: z.string().min(1), Name: z.string() }).transform(({ Id, Name }) => ({ id: Id, name: Name })),
);

export type Network = z.output<typeof networksSchema>[number];

/** `GET /volumes/{name}`: its driver's options; of the driver `local` those of `mount`: `type`, `o`, `device`. */
export const volumeSchema = z.object({ Options: textMap }).transform(({ Options }) => ({ options: Options ?? {} }));

export type Volume = z.output<typeof volumeSchema>;
