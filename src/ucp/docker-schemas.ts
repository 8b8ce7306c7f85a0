/**
 * Answers of the Docker Engine API, as far as they are needed: from the shapes of its reference (v1.24 to v1.41) to our
 * own names. Docker writes an empty list or map as null in places.
 */
import { z } from 'zod';

const texts = z.array(z.string()).nullish();
const textMap = z.record(z.string(), z.string()).nullish();

const listedContainerSchema = z
  .object({
    Id: z.string().min(1),
    Names: texts,
    Image: z.string(),
    Labels: textMap,
    State: z.string(),
    Status: z.string().default(''),
  })
  .transform(({ Id, Names, Image, Labels, State, Status }) => ({
    id: Id,
    /** With a leading slash and, through UCP, the node: `/<node>/<name>`. */
    names: Names ?? [],
    image: Image,
    labels: Labels ?? {},
    /** `running`, `exited`, `paused`, … */
    state: State,
    /** For people: `Exited (137) 2 hours ago`. */
    status: Status,
  }));

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
    Config: z.object({ Env: texts }),
    Mounts: z.array(mountSchema).nullish(),
    NetworkSettings: z.object({
      Networks: z.record(z.string(), z.object({ NetworkID: z.string().optional() })).nullish(),
    }),
  })
  .transform(({ Id, Name, Config, Mounts, NetworkSettings }) => ({
    id: Id,
    name: Name,
    /** `NAME=value`. */
    environment: Config.Env ?? [],
    mounts: Mounts ?? [],
    networks: Object.entries(NetworkSettings.Networks ?? {}).map(([name, { NetworkID }]) => ({ name, id: NetworkID })),
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
