-- Capture reads the binlog and its end position.
GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'sns'@'%';
