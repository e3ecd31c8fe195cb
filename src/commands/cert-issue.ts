import * as Args from './args.ts';
import { HsctlError } from '../kit/errors.ts';
import { issueCertificate } from '../transport/certificates.ts';
import type { Identity } from '../transport/identity.ts';
import { HsctlCommand, jsonFlag } from './base.ts';
import { certificateFlags, certificatePlace, clusterFlag, daysFlag } from './certificate-place.ts';
import { renderCertificates } from './render/certificates.ts';

export class CertIssue extends HsctlCommand {
  static override summary = 'Make the certificate and key of the controller, a node, an operator or a viewer.';
  static override description =
    'Where the authority is. Copy NAME.pem and NAME.key with ca.pem to the directory tls.dir of the machine that they are for. Operators may change things from other machines, viewers may look.';
  static override args = {
    role: Args.string({
      required: true,
      options: ['controller', 'node', 'operator', 'viewer'],
      description: 'what it is for',
    }),
    name: Args.string({ description: 'the node, or the person' }),
  };
  static override flags = { ...certificateFlags, cluster: clusterFlag, days: daysFlag, json: jsonFlag };

  async run(): Promise<void> {
    const { args, flags } = this.parse(CertIssue);
    const { dir, cluster, nodes } = certificatePlace(flags);
    const identity = identityFrom(args, cluster);
    if (identity.role === 'node' && nodes !== null && !nodes.includes(identity.name)) {
      throw new HsctlError('usage', `the cluster has no node ${identity.name}`, `its nodes are: ${nodes.join(', ')}`);
    }
    const certificate = await issueCertificate(dir, identity, flags.days);
    if (flags.json) this.printAnswer({ certificates: [certificate] });
    else this.print(...renderCertificates([certificate], this.scheduler.wallMs(), this.paint));
  }
}

function identityFrom(
  { role, name }: { readonly role: string; readonly name?: string | undefined },
  cluster: string,
): Identity {
  if (role === 'controller') {
    if (name === undefined) return { role, cluster };
    throw new HsctlError('usage', 'the controller has no name', 'write: hsctl cert issue controller');
  }
  if (name === undefined) throw new HsctlError('usage', `which ${role}?`, `name it: hsctl cert issue ${role} NAME`);
  return { role: role === 'node' || role === 'viewer' ? role : 'operator', cluster, name };
}
