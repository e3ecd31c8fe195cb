import { listCertificates } from '../transport/certificates.ts';
import { HsctlCommand, jsonFlag } from './base.ts';
import { certificateDirectory, certificateFlags } from './certificate-place.ts';
import { renderCertificates } from './render/certificates.ts';

export class CertList extends HsctlCommand {
  static override summary = 'Show the certificates here: whose they are, and when they end.';
  static override flags = { ...certificateFlags, json: jsonFlag };

  async run(): Promise<void> {
    const { flags } = this.parse(CertList);
    const certificates = listCertificates(certificateDirectory(flags));
    if (flags.json) this.printAnswer({ certificates });
    else this.print(...renderCertificates(certificates, this.scheduler.wallMs(), this.paint));
  }
}
