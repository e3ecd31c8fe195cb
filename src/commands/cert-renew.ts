import * as Args from './args.ts';
import { renewCertificate } from '../transport/certificates.ts';
import { HsctlCommand, jsonFlag } from './base.ts';
import { certificateDirectory, certificateFlags, daysFlag } from './certificate-place.ts';
import { renderCertificates } from './render/certificates.ts';

export class CertRenew extends HsctlCommand {
  static override summary = 'Replace a certificate and its key by new ones.';
  static override description =
    'Running daemons take the new files as soon as both are in place, without dropping links.';
  static override args = {
    name: Args.string({ required: true, description: 'controller, the name of the node, or operator-NAME' }),
  };
  static override flags = { ...certificateFlags, days: daysFlag, json: jsonFlag };

  async run(): Promise<void> {
    const { args, flags } = this.parse(CertRenew);
    const certificate = await renewCertificate(certificateDirectory(flags), args.name, flags.days);
    if (flags.json) this.printAnswer({ certificates: [certificate] });
    else this.print(...renderCertificates([certificate], this.scheduler.wallMs(), this.paint));
  }
}
