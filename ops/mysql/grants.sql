-- Capture reads the binlog and asks where it ends.
GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'sns'@'%';
