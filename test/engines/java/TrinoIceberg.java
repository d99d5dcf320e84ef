import static io.trino.testing.TestingSession.testSessionBuilder;

import io.trino.Session;
import io.trino.plugin.iceberg.IcebergPlugin;
import io.trino.testing.QueryRunner;
import io.trino.testing.StandaloneQueryRunner;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;

/** Trino in one process: `admin` prepares, `lake` has the session to be tried. */
public class TrinoIceberg {
  static final Session SESSION =
      testSessionBuilder()
          .setCatalog("lake")
          .setSchema("ns")
          .setCatalogSessionProperty("lake", "expire_snapshots_min_retention", "0s")
          .setCatalogSessionProperty("lake", "remove_orphan_files_min_retention", "0s")
          .build();
  static final QueryRunner TRINO = trino();

  static QueryRunner trino() {
    QueryRunner runner = new StandaloneQueryRunner(SESSION);
    runner.installPlugin(new IcebergPlugin());
    for (Map.Entry<String, String> catalog :
        Map.of("admin", "TOKEN_ALL", "lake", "TOKEN").entrySet()) {
      Map<String, String> properties = new HashMap<>();
      properties.put("iceberg.catalog.type", "rest");
      properties.put("iceberg.rest-catalog.uri", System.getenv("CATALOG_URL"));
      properties.put("iceberg.rest-catalog.warehouse", "wh");
      properties.put("iceberg.rest-catalog.security", "OAUTH2");
      properties.put("iceberg.rest-catalog.oauth2.token", System.getenv(catalog.getValue()));
      properties.put("iceberg.rest-catalog.vended-credentials-enabled", "true");
      // What is cached would hide reads.
      properties.put("iceberg.metadata-cache.enabled", "false");
      properties.put("fs.native-s3.enabled", "true");
      properties.put("s3.region", "us-east-1");
      properties.put("s3.endpoint", System.getenv("S3_ENDPOINT"));
      properties.put("s3.path-style-access", "true");
      runner.createCatalog(catalog.getKey(), "iceberg", properties);
    }
    return runner;
  }

  static final Harness.Sql SQL = text -> TRINO.execute(SESSION, text);

  public static void main(String[] args) throws Exception {
    String create = "CREATE TABLE $T (id BIGINT, name VARCHAR)";
    String insert = "INSERT INTO $T VALUES (1, 'a'), (2, 'b')";
    Callable<?> rows = SQL.prepared(create, insert);
    Map<String, Harness.Operation> operations = new LinkedHashMap<>();
    operations.put("create", new Harness.Operation(() -> null, SQL.tried(create)));
    operations.put(
        "create-with-location",
        new Harness.Operation(
            () -> null,
            SQL.tried(create + " WITH (location = 's3://lake/wh/ns/" + System.getenv("TABLE") + "')")));
    operations.put(
        "create-table-as",
        new Harness.Operation(() -> null, SQL.tried("CREATE TABLE $T AS SELECT BIGINT '1' AS id")));
    operations.put("first-append", new Harness.Operation(SQL.prepared(create), SQL.tried(insert)));
    operations.put("append", new Harness.Operation(rows, SQL.tried(insert)));
    operations.put("read", new Harness.Operation(rows, SQL.tried("SELECT * FROM $T")));
    operations.put("delete-rows", new Harness.Operation(rows, SQL.tried("DELETE FROM $T WHERE id = 1")));
    operations.put(
        "merge",
        new Harness.Operation(
            rows,
            SQL.tried(
                "MERGE INTO $T t USING (VALUES BIGINT '1') s (id) ON t.id = s.id"
                    + " WHEN MATCHED THEN UPDATE SET name = 'x'")));
    operations.put(
        "optimize",
        new Harness.Operation(
            SQL.prepared(create, insert, insert), SQL.tried("ALTER TABLE $T EXECUTE optimize")));
    operations.put("analyze", new Harness.Operation(rows, SQL.tried("ANALYZE $T")));
    operations.put(
        "expire-snapshots",
        new Harness.Operation(
            SQL.prepared(create, insert, "DELETE FROM $T"),
            SQL.tried("ALTER TABLE $T EXECUTE expire_snapshots(retention_threshold => '0s')")));
    // The catalog forgets the first table and keeps its files, in which the second one finds orphans.
    String forget =
        "CALL admin.system.unregister_table('ns', '" + System.getenv("TABLE") + "')";
    operations.put(
        "remove-orphan-files",
        new Harness.Operation(
            SQL.prepared(create, insert, forget, create, insert),
            SQL.tried("ALTER TABLE $T EXECUTE remove_orphan_files(retention_threshold => '0s')")));
    operations.put("drop", new Harness.Operation(rows, SQL.tried("DROP TABLE $T")));
    String version = IcebergPlugin.class.getPackage().getImplementationVersion();
    Harness.run(String.valueOf(version), operations, args[0]);
  }
}
