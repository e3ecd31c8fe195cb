import { createAuthority } from '../transport/certificates.ts';
import { HsctlCommand, jsonFlag } from './base.ts';
import { certificateFlags, certificatePlace, clusterFlag, daysFlag } from './certificate-place.ts';
import { renderCertificates } from './render/certificates.ts';

export class CertInit extends HsctlCommand {
  static override summary = "Make the cluster's authority, which signs all certificates.";
  static override description =
    'Once, on the machine where its key is kept; ca.key goes nowhere else, ca.pem to every machine of the cluster.';
  static override flags = { ...certificateFlags, cluster: clusterFlag, days: daysFlag, json: jsonFlag };

  async run(): Promise<void> {
    const { flags } = this.parse(CertInit);
    const { dir, cluster } = certificatePlace(flags);
    const certificate = await createAuthority(dir, cluster, flags.days);
    if (flags.json) this.printAnswer({ certificates: [certificate] });
    else this.print(...renderCertificates([certificate], this.scheduler.wallMs(), this.paint));
  }
}
