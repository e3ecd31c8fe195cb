/** Version of Redis whose behaviour clients may expect of the commands that there are. */
export const REDIS_VERSION = '7.0.15';
