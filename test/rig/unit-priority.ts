/**
 * Puts a daemon before what else wants a processor, as its unit does (scripts/systemd). Each program of a rig has a session of its own,
 * between which kernels with autogroups ignore `nice`: what counts there is the weight of the session.
 */
export const UNIT_PRIORITY: readonly string[] = [
  'sh',
  '-c',
  '{ echo -10 > /proc/self/autogroup; } 2> /dev/null; exec nice -n -10 "$@"',
  'daemon',
];
