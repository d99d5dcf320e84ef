import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.util.EnvironmentInformation;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.iceberg.IcebergBuild;

/** Flink with Iceberg's S3FileIO: `admin` prepares, `lake` has the session to be tried. */
public class FlinkIceberg {
  static final TableEnvironment FLINK = environment();

  static TableEnvironment environment() {
    Configuration configuration = new Configuration();
    configuration.setString("parallelism.default", "1");
    configuration.setString("table.dml-sync", "true");
    TableEnvironment environment =
        TableEnvironment.create(
            EnvironmentSettings.newInstance()
                .inBatchMode()
                .withConfiguration(configuration)
                .build());
    for (Map.Entry<String, String> catalog :
        Map.of("admin", "TOKEN_ALL", "lake", "TOKEN").entrySet()) {
      String text =
          "CREATE CATALOG %s WITH ('type'='iceberg', 'catalog-type'='rest', 'uri'='%s',"
              + " 'warehouse'='wh', 'token'='%s', 'cache-enabled'='false',"
              + " 'io-impl'='org.apache.iceberg.aws.s3.S3FileIO',"
              + " 'header.X-Iceberg-Access-Delegation'='vended-credentials')";
      environment.executeSql(
          String.format(
              text,
              catalog.getKey(),
              System.getenv("CATALOG_URL"),
              System.getenv(catalog.getValue())));
    }
    return environment;
  }

  // Closing an iterator cancels its job, and fails where the job has ended with its cluster.
  static final Harness.Sql SQL =
      text -> FLINK.executeSql(text).collect().forEachRemaining(row -> {});

  public static void main(String[] args) throws Exception {
    String create = "CREATE TABLE $T (id BIGINT, name STRING)";
    String upserting =
        "CREATE TABLE $T (id BIGINT, name STRING, PRIMARY KEY (id) NOT ENFORCED)"
            + " WITH ('format-version'='2', 'write.upsert.enabled'='true')";
    String insert = "INSERT INTO $T VALUES (1, 'a'), (2, 'b')";
    Callable<?> rows = SQL.prepared(create, insert);
    Map<String, Harness.Operation> operations = new LinkedHashMap<>();
    operations.put("create", new Harness.Operation(() -> null, SQL.tried(create)));
    operations.put("first-append", new Harness.Operation(SQL.prepared(create), SQL.tried(insert)));
    operations.put("append", new Harness.Operation(rows, SQL.tried(insert)));
    operations.put("read", new Harness.Operation(rows, SQL.tried("SELECT * FROM $T")));
    operations.put(
        "upsert",
        new Harness.Operation(
            SQL.prepared(upserting, insert), SQL.tried("INSERT INTO $T VALUES (1, 'changed')")));
    operations.put(
        "overwrite",
        new Harness.Operation(
            rows, SQL.tried("INSERT OVERWRITE $T SELECT CAST(3 AS BIGINT), 'c'")));
    operations.put("drop", new Harness.Operation(rows, SQL.tried("DROP TABLE $T")));
    Harness.run(
        EnvironmentInformation.getVersion() + " with Iceberg " + IcebergBuild.version(),
        operations,
        args[0]);
  }
}
