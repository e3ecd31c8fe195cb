import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { makeDirectory } from '../../kit/make-directory.ts';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

const contentSchema = z.object({ boot: z.string(), services: z.array(z.string()) });

/**
 * Services that hsctl itself made in the kernel's table, unlike those that it found there, for which somebody else may
 * have a use. A file tells the next controller; it counts only until the machine is booted, since that empties the table.
 * Each change reads the file anew: the drivers of all groups share it.
 */
export class CreatedServices {
  readonly #file: string | null;
  readonly #bootIdFile: string;
  /** Where there is no file. */
  readonly #own = new Set<string>();

  /** @param file null: only this object remembers */
  constructor(file: string | null, bootIdFile = BOOT_ID) {
    this.#file = file;
    this.#bootIdFile = bootIdFile;
  }

  has(service: string): boolean {
    return this.#read().has(service);
  }

  /** @throws Error of the file system */
  add(service: string): void {
    this.#write(this.#read().add(service));
  }

  /** @throws Error of the file system */
  delete(service: string): void {
    const services = this.#read();
    if (services.delete(service)) this.#write(services);
  }

  /** Nothing where the file is missing, was damaged, or tells of an earlier boot: then a service is left rather than lost. */
  #read(): Set<string> {
    if (this.#file === null) return this.#own;
    try {
      const { boot, services } = contentSchema.parse(JSON.parse(readFileSync(this.#file, 'utf8')));
      return new Set(boot === this.#boot() ? services : []);
    } catch {
      return new Set();
    }
  }

  /** Not forced to the disk: what a power cut takes from here it takes from the kernel's table, too. */
  #write(services: ReadonlySet<string>): void {
    if (this.#file === null) return;
    const unfinished = `${this.#file}.unfinished`;
    makeDirectory(dirname(this.#file));
    writeFileSync(unfinished, `${JSON.stringify({ boot: this.#boot(), services: [...services] })}\n`);
    renameSync(unfinished, this.#file);
  }

  #boot(): string {
    return readFileSync(this.#bootIdFile, 'utf8').trim();
  }
}
