/**
 * The shapes of the Docker Engine API's answers, as far as they are needed: from the API's reference (v1.24 to v1.41)
 * to our own words. The parsers throw a ZodError.
 */
import { z } from 'zod';

/** Docker writes an empty list or map as null in places. */
const labels = z
  .record(z.string(), z.string())
  .nullish()
  .transform((value) => value ?? {});
const texts = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? []);

const listedContainer = z
  .object({
    Id: z.string().min(1),
    Names: texts,
    Image: z.string(),
    Labels: labels,
    State: z.string(),
    Status: z.string().default(''),
  })
  .transform((container) => ({
    id: container.Id,
    /** With a leading slash and, through UCP, the node: `/<node>/<name>`. */
    names: container.Names,
    image: container.Image,
    labels: container.Labels,
    /** `running`, `exited`, `paused`, … */
    state: container.State,
    /** For people: `Exited (137) 2 hours ago`. */
    status: container.Status,
  }));

export type ListedContainer = z.output<typeof listedContainer>;

const mount = z
  .object({ Name: z.string().optional(), Source: z.string().optional(), Destination: z.string() })
  .transform(({ Name, Source, Destination }) => ({
    /** The volume's name, through UCP perhaps `<node>/<volume>`; absent for a mounted directory. */
    volume: Name,
    /** The directory of the node. */
    source: Source,
    path: Destination,
  }));

const inspectedContainer = z
  .object({
    Id: z.string().min(1),
    Name: z.string(),
    Config: z.object({ Env: texts }),
    Mounts: z
      .array(mount)
      .nullish()
      .transform((value) => value ?? []),
    NetworkSettings: z.object({
      Networks: z.record(z.string(), z.object({ NetworkID: z.string().optional() })).nullish(),
    }),
  })
  .transform((container) => ({
    id: container.Id,
    name: container.Name,
    /** `NAME=value`. */
    environment: container.Config.Env,
    mounts: container.Mounts,
    networks: Object.entries(container.NetworkSettings.Networks ?? {}).map(([name, { NetworkID }]) => ({
      name,
      id: NetworkID,
    })),
  }));

export type InspectedContainer = z.output<typeof inspectedContainer>;

const network = z
  .object({ Id: z.string().min(1), Name: z.string() })
  .transform(({ Id, Name }) => ({ id: Id, name: Name }));

export type Network = z.output<typeof network>;

const volume = z
  .object({
    Driver: z.string(),
    Options: z
      .record(z.string(), z.string())
      .nullish()
      .transform((value) => value ?? {}),
  })
  .transform(({ Driver, Options }) => ({
    driver: Driver,
    /** Of the driver; of the driver `local` what `mount` is given: `type`, `o`, `device`. */
    options: Options,
  }));

export type Volume = z.output<typeof volume>;

/** `GET /containers/json`. */
export function parseContainerList(value: unknown): ListedContainer[] {
  return z.array(listedContainer).parse(value);
}

/** `GET /containers/{id}/json`. */
export function parseContainer(value: unknown): InspectedContainer {
  return inspectedContainer.parse(value);
}

/** `GET /networks`. */
export function parseNetworkList(value: unknown): Network[] {
  return z.array(network).parse(value);
}

/** `GET /volumes/{name}`. */
export function parseVolume(value: unknown): Volume {
  return volume.parse(value);
}
