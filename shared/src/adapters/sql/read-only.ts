/**
 * SQL that is 0 where a server of MySQL takes writes. A reader of Amazon Aurora says it by `innodb_read_only` alone, as
 * its documentation has it.
 */
export const IS_READ_ONLY =
  '(@@global.read_only or @@global.super_read_only or @@global.innodb_read_only or @@global.offline_mode)'
