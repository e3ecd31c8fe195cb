/** `2026-03-01 12:00:00` in the machine's time zone. */
export function formatMoment(wallMs: number): string {
  const time = new Date(wallMs);
  const date = [time.getFullYear(), time.getMonth() + 1, time.getDate()].map(twoDigits).join('-');
  return `${date} ${[time.getHours(), time.getMinutes(), time.getSeconds()].map(twoDigits).join(':')}`;
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0');
}
